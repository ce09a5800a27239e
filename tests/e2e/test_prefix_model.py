"""Keys and values in place of texts, on the real default model: what is no compression loses nothing."""

from __future__ import annotations

from typing import Any

import pytest

from membench.api import Dataset, Recall
from membench.model.llm import LLM
from membench.plugins import registry
from membench.targets.scribe import Scribe

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def worlds() -> Dataset:
    """Two invented entities."""
    data: Dataset = registry.load("data", "worlds")().load("1", 2, 0)
    return data


@pytest.mark.parametrize(("name", "settings"), [("memoryllm", {}), ("cartridge", {"epochs": 0, "tokens": 500})])
def test_a_memory_with_room_for_the_text_answers_as_the_text_in_the_prompt(
    smol: LLM, worlds: Dataset, name: str, settings: dict[str, Any]
) -> None:
    method = registry.load("methods", name)(llm=smol, scribe=Scribe({}, None), **settings)
    for context in worlds.contexts:
        questions = [question.text for question in context.questions[:4]]
        candidates = [(question.answers[0], *question.distractors) for question in context.questions[:4]]
        recall = method.recall(method.write(None, [context.text]), questions)
        ours = smol.answer(recall, questions, candidates)
        in_context = smol.answer(Recall(contexts=((context.text,),) * len(questions)), questions, candidates)
        assert [r.ids for r in ours] == [r.ids for r in in_context]
        for a, b in zip(ours, in_context, strict=True):
            assert a.logprobs == pytest.approx(b.logprobs, abs=1e-3)
