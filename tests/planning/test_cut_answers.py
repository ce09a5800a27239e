"""Answers and texts that are too long are said before anything is played."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from membench.errors import MembenchError
from membench.model.llm import LLM
from membench.planning.length_checks import check_window, cut_answers
from membench.values import Context, Dataset, Question


def cell(*answers: tuple[str, ...]) -> Any:
    asked = tuple(Question(f"q{k}", "?", those, "c") for k, those in enumerate(answers))
    return SimpleNamespace(data=Dataset("mine", (Context("c", "text", asked),)), task=SimpleNamespace(form=None))


def test_the_share_of_answers_that_are_cut_is_said_once_for_each_data_set(llm: LLM) -> None:
    long = "the harbour of Vellmar " * 20
    assert cut_answers([cell(("a",), (long, "a"))], llm) == []
    (line,) = cut_answers([cell(("a",), (long,), (long, f"{long}!"))] * 2, llm)
    assert line.startswith(f"mine: 2 of 3 questions have no accepted answer of {llm.max_new_tokens} tokens or fewer")


def test_a_text_fits_by_the_tokens_of_its_longest_question_and_not_by_characters(llm: LLM) -> None:
    few, many = "Which of these harbours is the oldest one that is named in the text?", "维尔马港冬天能停多少艘船" * 3
    spent = sum(map(len, llm.segment_ids([""], many))) + llm.max_new_tokens
    text = llm.decode([token for token in llm.ids("the harbour of Vellmar " * llm.window)][: llm.window - spent + 9])
    assert len(few) > len(many)

    def planned(question: str) -> Any:
        context = Context("long", text, (Question("q", question, ("a",), "long"),))
        return SimpleNamespace(data=Dataset("mine", (context,)))

    check_window([planned(few)], llm)
    for huge in (f"{few} " * 200, "x" * 5_000_000):
        with pytest.raises(
            MembenchError, match=r"question 'q' of context 'long' of mine takes (more than )?\d+ tokens"
        ):
            check_window([planned(few), planned(huge)], llm)
    with pytest.raises(MembenchError, match=r"context 'long' of mine takes \d+ tokens with its prompt and the window"):
        check_window([planned(many)], llm)
