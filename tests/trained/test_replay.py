"""Sentences of earlier writes in later ones: replayed as their teacher answered, or held as the memory answers now."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import membench.trained.trainer as trainer_module
from membench.plugins import registry
from membench.targets.scribe import Scribe
from membench.trained.lora import Lora
from membench.trained.replay import asked_before
from membench.trained.sentences import student_stem
from membench.trained.trainer import taught
from membench.values import Pair

FIRST = "The harbour of Vellmar was built by Ines Corde. It has nine cranes."
SECOND = "The Oban Survey is paid by the Hedran Trust. It is made in May."
BOOK = {
    FIRST: (Pair("Who built the harbour of Vellmar?", "Ines Corde"), Pair("How many cranes has Vellmar?", "nine")),
    SECOND: (Pair("Who pays the Oban Survey?", "Hedran Trust"), Pair("When is the Oban Survey made?", "May")),
}


def method(llm: Any, **settings: Any) -> Any:
    small: dict[str, Any] = {"epochs": 2, "answers": "gold", "rank": 2, "suffix": 0.0, "generic": 0.0, "lr": 1e-2}
    made = registry.load("methods", "selfparam")
    return made(llm=llm, scribe=Scribe(BOOK, None), **small | settings)


def test_held_sentences_are_answered_as_by_the_memory_before_the_write(
    llm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a later write learns of them is what the model that wears the memory says, without any context."""
    holding = method(llm, hold=1.0)
    first = holding.write(None, [FIRST])
    seen: list[tuple[Any, Any]] = []
    plain = trainer_module._fit

    def fit(model: Any, plan: Any, teacher: Any, *rest: Any) -> Any:
        seen.append((plan, teacher))
        return plain(model, plan, teacher, *rest)

    monkeypatch.setattr(trainer_module, "_fit", fit)
    second = holding.write(first, [SECOND])
    ((plan, teacher),) = seen
    held = [s for step in plan for s in step if s.kind == "held"]
    assert len(held) == sum(s.kind == "qa" for step in plan for s in step)
    assert {s.tokens for s in held} == {tuple(k.tokens.tolist()) for k in first.kept}
    assert {s.given for s in held} == {(s.stem,) for s in held}, "no context stands before them"
    with llm.wearing(first):
        expected = taught(llm, held, Lora())
    unworn = taught(llm, held, Lora())
    for sentence in held:
        assert torch.equal(teacher[sentence], expected[sentence])
        assert not torch.allclose(teacher[sentence], unworn[sentence])
    assert len(second.kept) == 4
    assert all(k.hidden.numel() == 0 for k in second.kept), "the memory itself says what it would say"


def test_a_first_write_has_nothing_to_hold(llm: Any) -> None:
    """Its factors are those of a write that holds nothing."""
    held, free = method(llm, hold=2.0).write(None, [FIRST]), method(llm).write(None, [FIRST])
    for name, parts in free.layers[0].items():
        assert torch.equal(held.layers[0][name]["B"], parts["B"])


def test_holding_keeps_what_the_memory_says_closer_to_what_it_said(llm: Any) -> None:
    """After a second write the answers to the first one's questions have moved less."""
    moved = {}
    for hold in (0.0, 2.0):
        writer = method(llm, hold=hold, epochs=8)
        first = method(llm, hold=1.0, epochs=8).write(None, [FIRST])
        second = writer.write(first, [SECOND])
        held = asked_before(first, student_stem(llm))
        with llm.wearing(first):
            before = taught(llm, held, Lora())
        with llm.wearing(second):
            after = taught(llm, held, Lora())
        moved[hold] = sum(float((after[s] - before[s]).norm()) for s in held)
    assert moved[2.0] < 0.9 * moved[0.0]
