"""Everything in the prompt: what is cut, what is counted, what is left after forgetting."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from membench.errors import MembenchError
from membench.model.llm import LLM
from membench.plugins import registry

TEXTS = tuple(f"The harbour of place {k} was built by Ines Corde in {1900 + k}. It holds {k} ships." for k in range(40))
QUESTION = "Who built the harbour of place 3?"


def made(llm: LLM, **settings: Any) -> Any:
    return registry.load("methods", "full-context")(llm=llm, **settings)


def size(llm: LLM, texts: tuple[str, ...], question: str = QUESTION) -> int:
    return sum(map(len, llm.segment_ids(texts, question)))


def test_with_room_for_all_it_is_in_context(llm: LLM) -> None:
    method, reference = made(llm), registry.load("methods", "in-context")(llm=llm)
    few = TEXTS[:5]
    found = method.recall(method.write(method.write(None, few[:2]), few[2:]), [QUESTION, "When?"])
    assert found.contexts == reference.recall(reference.write(None, few), [QUESTION, "When?"]).contexts
    assert found.notes == {"tokens_cut": 0}
    assert method.recall(None, [QUESTION]).contexts == ((),)


def test_the_window_is_filled_from_the_newest_and_leaves_room_for_the_answer(llm: LLM) -> None:
    method = made(llm)
    (kept,) = method.recall(TEXTS, [QUESTION]).contexts
    whole = kept[1:]
    assert TEXTS[-len(whole) :] == whole
    cut = TEXTS[-len(kept)]
    assert cut.endswith(f" {kept[0]}")
    assert size(llm, kept) + llm.max_new_tokens <= llm.window
    longer = " ".join(cut.split(" ")[-len(kept[0].split(" ")) - 1 :])
    limit = llm.window - 64 * -(-(len(llm.segment_ids([], QUESTION)[1]) + llm.max_new_tokens) // 64)
    assert size(llm, (longer, *whole), "") - size(llm, (), "") + len(llm.segment_ids([], "")[0]) > limit


@pytest.mark.parametrize("style", ["plain", "twice"])
def test_whatever_is_written_fits_into_the_window_in_every_style(tiny: Path, style: str) -> None:
    llm = LLM.load(tiny, name="tiny", dtype="float32", style=style)
    recall = made(llm).recall(TEXTS * 3, [QUESTION])
    taken = size(llm, recall.contexts[0]) + llm.max_new_tokens
    assert llm.window - 64 - 2 * len(llm.ids(TEXTS[0])) < taken <= llm.window
    assert recall.notes["tokens_cut"] > 0
    assert llm.answer(recall, [QUESTION])[0].ids


def test_what_was_cut_is_counted(llm: LLM) -> None:
    recall = made(llm, budget=150).recall(TEXTS, [QUESTION, "When?"])
    kept = size(llm, recall.contexts[0]) - size(llm, ())
    assert kept <= 150
    assert recall.notes == {"tokens_cut": size(llm, TEXTS) - size(llm, ()) - kept}


def test_a_smaller_budget_keeps_the_end_of_a_larger_one(llm: LLM) -> None:
    found = ["".join(made(llm, budget=b).recall(TEXTS, [QUESTION]).contexts[0]) for b in (40, 90, 200, 400)]
    assert all(larger.endswith(smaller) and larger != smaller for smaller, larger in pairwise(found))
    assert made(llm, budget=1).recall(TEXTS, [QUESTION]).contexts == ((),)


def test_what_stands_before_a_question_does_not_depend_on_the_others(llm: LLM) -> None:
    method, long = made(llm), "Who built the harbour " + "of the old place " * 20 + "?"
    alone = [method.recall(TEXTS, [q]).contexts[0] for q in (QUESTION, long)]
    assert method.recall(TEXTS, [QUESTION, long]).contexts == tuple(alone)
    assert len(alone[0]) > len(alone[1])


def test_it_forgets_exactly(llm: LLM) -> None:
    method = made(llm)
    assert method.forget(method.write(None, TEXTS[:3]), TEXTS[1:2]) == method.write(None, [TEXTS[0], TEXTS[2]])
    assert method.forget(TEXTS, TEXTS) is None


def test_a_negative_budget_is_refused(llm: LLM) -> None:
    with pytest.raises(MembenchError, match="setting budget of full-context wants 0 or more, got -1"):
        made(llm, budget=-1)
