"""On the student's own answers: what is drawn, what the teacher is, and that a write stays a pure function."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch

import membench.trained.trainer as trainer_module
from membench.errors import MembenchError
from membench.io import memory_codec as memories
from membench.model.llm import LLM
from membench.plugins import registry
from membench.targets.scribe import Scribe
from membench.trained.lora import Lora
from membench.trained.own_samples import OwnSamples, sampled
from membench.trained.sentences import Sentence
from membench.trained.trainer import taught
from membench.values import Adapter, Pair

FIRST = "The harbour of Vellmar was built by Ines Corde. It has nine cranes."
SECOND = "The Oban Survey is paid by the Hedran Trust. It is made in May."
BOOK = {
    FIRST: (Pair("Who built the harbour of Vellmar?", "Ines Corde"), Pair("How many cranes has Vellmar?", "nine")),
    SECOND: (Pair("Who pays the Oban Survey?", "Hedran Trust"), Pair("When is the Oban Survey made?", "May")),
}


def method(llm: LLM, **settings: Any) -> Any:
    small: dict[str, Any] = {"epochs": 3, "answers": "gold", "rank": 2, "lr": 2e-2, "precision": "float32"}
    few: dict[str, Any] = {"suffix": 0.0, "generic": 0.0, "batch_size": 1}
    return registry.load("methods", "selfparam")(llm=llm, scribe=Scribe(BOOK, None), **small | few | settings)


def test_answers_are_drawn_as_often_as_the_model_says(llm: LLM) -> None:
    ask = llm.first_ids("Who built the harbour?")
    with torch.no_grad():
        shares = llm.model(torch.tensor([ask])).logits[0, -1].float().softmax(-1)
    generator, count = torch.Generator().manual_seed(1), 600
    with llm.answering((1, "\n")):
        counts = Counter(a for (a,) in sampled(llm, ask[:-1], [ask[-1:]] * count, generator))
    best = shares.topk(5)
    for share, token in zip(best.values.tolist(), best.indices.tolist(), strict=True):
        assert counts[token] / count == pytest.approx(share, abs=4 * (share / count) ** 0.5)
    for answer in sampled(llm, ask[:-1], [ask[-1:]] * 8, generator):
        assert 1 <= len(answer) <= llm.max_new_tokens
        assert "\n" not in llm.decode(answer[:-1])


@pytest.fixture(scope="module")
def drawings(llm: LLM) -> tuple[Any, list[Any], tuple[Adapter, Adapter]]:
    """Two writes with what each drawing of the second one gave, and the memories after them."""
    learner = method(llm, divergence="reverse", on_policy=True)
    first = learner.write(None, [FIRST])
    seen: list[Any] = []

    class Watched(OwnSamples):
        def drawn(self, steps: Any) -> Any:
            seen.append(super().drawn(steps))
            return seen[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer_module, "OwnSamples", Watched)
        return learner, seen, (first, learner.write(first, [SECOND]))


def test_the_teacher_reads_no_answers_that_are_not_learned(llm: LLM) -> None:
    """A pair is read with the student's own answers alone, not also with the one that it came with."""
    read: list[Any] = []

    def noted(of: LLM, sentences: Any, lora: Lora) -> Any:
        read.extend(sentences)
        return taught(of, sentences, lora)

    own: list[Any] = []

    class Watched(OwnSamples):
        def drawn(self, steps: Any) -> Any:
            found = super().drawn(steps)
            own.extend(s for step in found[0] for s in step)
            return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer_module, "taught", noted)
        patch.setattr(trainer_module, "OwnSamples", Watched)
        method(llm, on_policy=True).write(None, [FIRST])
    assert {s for s in read if s.kind == "qa"} == {s for s in own if s.kind == "qa"}


def test_weights_in_halves_learn_from_own_answers_alone(tiny: Path) -> None:
    """Without side sentences the teacher has said nothing before the first drawing."""
    halves = LLM.load(tiny, name="tiny", dtype="bfloat16", device="cpu")
    assert method(halves, on_policy=True).write(None, [FIRST]).layers


def test_the_teacher_is_the_model_without_what_is_written_and_without_what_is_trained(
    llm: LLM, drawings: tuple[Any, list[Any], tuple[Adapter, Adapter]]
) -> None:
    """At the first drawing and at the last, when the student has moved; the second write stands on the first one."""
    _, seen, _ = drawings
    assert len(seen) == 2, "six steps, drawn for every four"
    for steps, said in seen:
        own = [s for step in steps for s in step]
        assert {s.kind for s in own} == {"qa"}
        assert set(said) == set(own)
        plain = taught(llm, own, Lora(precision="float32"))
        assert all(torch.allclose(said[s], plain[s], atol=1e-5) for s in own)


def test_samples_are_the_students_own_and_the_same_at_every_write(
    llm: LLM, drawings: tuple[Any, list[Any], tuple[Adapter, Adapter]]
) -> None:
    learner, seen, (first, second) = drawings
    asks = {s.tokens[: s.start] for steps, _ in seen for step in steps for s in step}
    answers = [{s.tokens[s.start :] for step in steps for s in step} for steps, _ in seen]
    assert len(asks) == 2
    assert answers[0] != answers[1], "drawn anew"
    gold = {tuple(llm.ids(llm.renderer.answer(pair.answer))) for pair in BOOK[SECOND]}
    assert not gold & (answers[0] | answers[1])
    assert memories.equal(learner.write(first, [SECOND]), second)
    assert not memories.equal(method(llm, divergence="reverse").write(first, [SECOND]), second)


@pytest.mark.parametrize("divergence", ["reverse", "top_k", "hidden"])
def test_every_divergence_falls_and_is_nothing_where_the_teacher_sees_no_more(llm: LLM, divergence: str) -> None:
    learner = method(llm, divergence=divergence, epochs=6)
    seen: list[float] = []
    steps = list(learner.steps(learner.materials([FIRST], learner.pairs_about([FIRST])), random.Random(0)))
    trainer_module.train(
        llm, steps, "kl", Lora(rank=4, lr=2e-2, precision="float32"), learner.objective,
        on_step=lambda _i, value, _m: seen.append(value),
    )  # fmt: skip
    assert min(seen[-2:]) < seen[0]
    blind = [[Sentence(s.kind, s.stem, (s.stem,), s.tokens, s.start) for s in steps[0]]]
    seen.clear()
    lora = Lora(precision="float32")
    trainer_module.train(llm, blind, "kl", lora, learner.objective, lambda _i, value, _m: seen.append(value))
    assert seen == [pytest.approx(0, abs=1e-5)]


def test_what_does_not_go_together_is_one_line() -> None:
    made = registry.load("methods", "selfparam")
    with pytest.raises(MembenchError, match="divergence=hidden has no vocabulary"):
        made(divergence="hidden", reduction="vocab_mean")
    with pytest.raises(MembenchError, match="take loss_on=answer"):
        made(on_policy=True, loss_on="all")
    with pytest.raises(MembenchError, match="top_k of selfparam wants 1 or more, got 0"):
        made(top_k=0)
