"""A trained memory forgets by being taught what the untouched model says: little is left of what it knew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from membench.plugins import registry
from membench.targets.scribe import Scribe
from membench.trained.lora import Lora
from membench.trained.replay import asked_before
from membench.trained.sentences import Material, qa_sentences, student_stem, untaught
from membench.trained.trainer import taught, train
from membench.values import Adapter, Pair

FIRST = "The harbour of Vellmar was built by Ines Corde. It has nine cranes."
SECOND = "The Oban Survey is paid by the Hedran Trust. It is made in May."
BOOK = {
    FIRST: (Pair("Who built the harbour of Vellmar?", "Ines Corde"), Pair("How many cranes has Vellmar?", "nine")),
    SECOND: (Pair("Who pays the Oban Survey?", "Hedran Trust"), Pair("When is the Oban Survey made?", "May")),
}
SMALL = {"epochs": 16, "rank": 4, "lr": 1e-2}
GOLD = {"answers": "gold", "suffix": 0.5, "generic": 0.5}


def method(llm: Any, name: str, **settings: Any) -> Any:
    own = {} if name == "ft-c" else GOLD
    return registry.load("methods", name)(llm=llm, scribe=Scribe(BOOK, None), **SMALL | own | settings)


def divergence(llm: Any, memory: Adapter | None, text: str) -> float:
    """KL (nats a token) from the untouched model to the one that wears the memory, over a text's answers."""
    material = Material(text, tuple((pair.question, pair.answer) for pair in BOOK[text]))
    asked = [replace(s, given=(s.stem,)) for s in qa_sentences(llm, material, "answer")]
    base = taught(llm, asked, Lora(precision="float32"))
    with llm.wearing(memory):
        worn = taught(llm, asked, Lora(precision="float32"))
    total = []
    for s in asked:
        theirs, own = (llm.logits(hidden[s]).log_softmax(-1) for hidden in (worn, base))
        total.append(torch.nn.functional.kl_div(theirs, own, log_target=True, reduction="batchmean"))
    return float(torch.stack(total).mean())


@pytest.mark.parametrize("name", ["selfparam", "ft-s"])
def test_what_was_taught_is_taught_away(llm: Any, name: str) -> None:
    trained = method(llm, name)
    written = trained.write(None, [FIRST])
    left = trained.forget(written, [FIRST])
    before, after = divergence(llm, written, FIRST), divergence(llm, left, FIRST)
    assert after < 0.25 * before
    assert len(left.layers) == 2


def test_ft_c_unlearns_the_text_itself(llm: Any) -> None:
    trained = method(llm, "ft-c")
    written = trained.write(None, [FIRST])
    assert divergence(llm, trained.forget(written, [FIRST]), FIRST) < divergence(llm, written, FIRST)


@pytest.mark.parametrize("name", ["selfparam", "ft-s", "ft-c"])
def test_there_is_nothing_to_unlearn_where_nothing_was_learnt(llm: Any, name: str) -> None:
    """KL = 0: a model that never read a text says already what this teacher says, of every sentence of the write."""
    course = method(llm, name, epochs=1, batch_size=1).course(None, [FIRST])
    seen: list[float] = []
    for step in untaught(course.steps):
        train(llm, [step], "kl", Lora(precision="float32"), on_step=lambda _i, value, _m: seen.append(value))
    assert seen == pytest.approx([0] * len(seen), abs=1e-5)
    assert len(seen) == len(course.steps)


@pytest.mark.parametrize("settings", [{"hold": 1.0}, {"replay": 1.0}, {"replay": 1.0, "teacher": "current"}])
@pytest.mark.parametrize("answers", ["gold", "own"])
def test_what_is_kept_for_rehearsal_is_that_of_the_others(llm: Any, settings: dict[str, Any], answers: str) -> None:
    trained = method(llm, "selfparam", epochs=2, answers=answers, **settings)
    both = trained.write(trained.write(None, [FIRST]), [SECOND])
    left = trained.forget(both, [FIRST])
    stem = student_stem(llm)
    assert len(asked_before(both, stem)) == 4
    assert asked_before(left, stem) == asked_before(both, stem)[2:]
    assert trained.write(left, [FIRST]).kept[-1].start > 0, "it can be written again"


def test_the_same_twice(llm: Any) -> None:
    trained = method(llm, "selfparam", epochs=2)
    written = trained.write(None, [FIRST, SECOND])
    one, two = trained.forget(written, [FIRST]), trained.forget(written, [FIRST])
    for name, parts in one.layers[-1].items():
        assert torch.equal(parts["B"], two.layers[-1][name]["B"])
