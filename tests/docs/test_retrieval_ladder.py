"""benchmarks/retrieval_ladder.py and its table: which questions, what a row counts, which retrievers are told apart."""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from membench.values import Context, Dataset, Question

ROOT = Path(__file__).parents[2]
with pytest.MonkeyPatch.context() as _patch:  # no longer than that: other libraries look for modules by name too
    _patch.syspath_prepend(str(ROOT / "benchmarks"))
    ladder_rows = importlib.import_module("ladder_rows")
    retrieval_ladder = importlib.import_module("retrieval_ladder")


def rows(path: Path, **ranks: Sequence[int | None]) -> None:
    """Blocks of twenty questions each, the last one first, as a run that was resumed may leave them."""
    lines = []
    for name, of in ranks.items():
        for first in reversed(range(0, len(of), 20)):
            block = of[first : first + 20]
            line = {"retriever": name, "of": "x", "first": first, "ranks": block, "ms": [2.0] * len(block)}
            lines.append(json.dumps({**line, "write_s": 1.5, "bytes": 3_000_000}))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_all_are_compared_on_the_questions_that_all_were_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladder_rows, "ROWS", tmp_path / "ladder.jsonl")
    few = [1] * 36 + [2] * 4
    rows(ladder_rows.ROWS, good=few, fair=[1, 2, None, 6] * 10 + [1] * 40, poor=[None] * 39 + [1] + [2] * 40)
    head, *lines = ladder_rows.ladder_table()
    cells = [dict(zip(head, line, strict=True)) for line in lines]
    assert [(c["retriever"], c["questions"]) for c in cells] == [
        ("good", "40"), ("fair", "40"), ("poor", "40"), ("fair", "80"), ("poor", "80"),
    ]  # fmt: skip
    assert [c["recall@1"][:5] for c in cells] == ["0.900", "0.250", "0.025", "0.625", "0.013"]
    assert [c["recall@5"][:5] for c in cells] == ["1.000", "0.500", "0.025", "0.750", "0.512"]
    assert cells[1]["MRR@10"].startswith("0.417")  # (1 + 1/2 + 0 + 1/6) / 4
    assert [c["group"] for c in cells] == ["a", "b", "c", "a", "b"]
    assert cells[0]["ms a question"] == "2.0"
    assert cells[0]["write s"] == "1.5"
    assert cells[0]["state MB"] == "3.0"


def test_a_part_of_a_block_gives_way_to_the_whole_and_what_follows_a_gap_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ladder_rows, "ROWS", tmp_path / "ladder.jsonl")
    rows(ladder_rows.ROWS, a=[1] * 60, b=[2] * 35, c=[1] * 60)
    lines = ladder_rows.ROWS.read_text().splitlines()
    whole = json.loads(next(line for line in lines if '"b"' in line and '"first": 20' in line))
    whole |= {"ranks": [1] * 20, "ms": [1.0] * 20}
    kept = [line for line in lines if not ('"c"' in line and '"first": 20' in line)]
    ladder_rows.ROWS.write_text("\n".join([*kept, json.dumps(whole)]) + "\n")
    _, *found = ladder_rows.ladder_table()
    counts = {(line[0], line[1]): line[2][:5] for line in found}
    assert counts["c", "20"] == "1.000"
    assert counts["b", "40"] == "0.500"
    assert ("c", "40") not in counts


def test_each_question_is_about_another_passage_of_the_store() -> None:
    contexts = []
    for k in range(6):
        questions = tuple(Question(f"q{k}.{i}", f"{i}?", ("a",), f"c{k}") for i in range(3))
        contexts.append(Context(f"c{k}", f"Text {k}.", questions))
    data = Dataset("d", tuple(contexts))
    passages = retrieval_ladder.store(data, None, 4)
    asked = retrieval_ladder.drawn(data, passages)
    assert sorted(gold for _, gold in asked) == passages
    assert asked == retrieval_ladder.drawn(data, passages)
