"""Gold answers that are longer than an answer may be are said before anything is played."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from membench.model.llm import LLM
from membench.planning.length_checks import cut_answers
from membench.values import Context, Dataset, Question


def cell(*answers: tuple[str, ...]) -> Any:
    asked = tuple(Question(f"q{k}", "?", those, "c") for k, those in enumerate(answers))
    return SimpleNamespace(data=Dataset("mine", (Context("c", "text", asked),)), task=SimpleNamespace(form=None))


def test_the_share_of_answers_that_are_cut_is_said_once_for_each_data_set(llm: LLM) -> None:
    long = "the harbour of Vellmar " * 20
    assert cut_answers([cell(("a",), (long, "a"))], llm) == []
    (line,) = cut_answers([cell(("a",), (long,), (long, f"{long}!"))] * 2, llm)
    assert line.startswith(f"mine: 2 of 3 questions have no accepted answer of {llm.max_new_tokens} tokens or fewer")
