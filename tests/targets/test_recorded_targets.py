"""The recorded target sentences of the reference run fit the data that they are about, and give no question away."""

from __future__ import annotations

from pathlib import Path

import pytest

from membench.plugins import registry
from membench.targets.overlap import audit
from membench.targets.pairs import distinct, holds, recorded_pairs

ROOT = Path(__file__).parents[2]
FILE = ROOT / "benchmarks" / "targets" / "squad_dev_half1.jsonl"
SQUAD = ROOT.parent / "shared" / "data" / "squad" / "squad_dev_half1.json"


def test_every_pair_is_answered_by_its_passage_and_asked_once() -> None:
    book = recorded_pairs(FILE)
    assert len(book) == 20
    for text, pairs in book.items():
        assert 8 <= len(pairs) <= 12
        assert distinct(pairs) == list(pairs)
        assert all(pair.question.endswith("?") and holds(text, pair.answer) for pair in pairs)


@pytest.mark.skipif(not SQUAD.exists(), reason="real data set not here")
def test_they_are_about_the_paragraphs_that_are_read_and_ask_no_test_question() -> None:
    contexts = registry.load("data", "squad")().load(str(SQUAD), 20, 20).contexts
    book = recorded_pairs(FILE)
    assert list(book) == [context.text for context in contexts]
    questions = [question for context in contexts for question in context.questions]
    found = audit(book, questions, {context.id: context.text for context in contexts})
    assert found["leak_rate"] == 0.0
    assert found["answer_covered"] > 0.5
