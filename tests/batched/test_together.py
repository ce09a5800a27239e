"""Adapters that are trained together are those that are trained one by one."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from membench.batched import together
from membench.batched.first_writes import write_each
from membench.batched.together import Plan, train_together
from membench.losses.divergences import FORWARD, Objective
from membench.model.llm import LLM
from membench.plugins import registry
from membench.targets.scribe import Scribe
from membench.trained import trainer
from membench.trained.lora import Layer, Lora
from membench.trained.sentences import Material, generic_sentence, qa_sentences, suffix_sentence
from membench.trained.verdict import require_trainable
from membench.values import Pair

LORA = Lora(rank=4, lr=2e-3, upper=0.5, precision="float32")
MATERIALS = (
    Material("The harbour was built by Ines Corde in 1931.", (("Who built it?", "Ines Corde"), ("When?", "1931"))),
    Material("The inn serves 140 guests a day, and is famous for its soup.", (("How many guests?", "140"),)),
    Material("Lake Imber is deep.", (("What is deep?", "Lake Imber"), ("How is it?", "deep"), ("A sea?", "no"))),
)


@pytest.fixture(scope="module")
def exact(tiny: Path) -> LLM:
    """The tiny model in double precision, where the order of sums does not show."""
    llm = LLM.load(tiny, name="tiny", dtype="float32", device="cpu", style="plain")
    require_trainable(llm, 1.0)
    llm.model.double()
    return llm


def plans(llm: LLM) -> list[Plan]:
    """Of several lengths, with sentences of all kinds, one of them the same for all."""
    out = []
    for k, material in enumerate(MATERIALS):
        rng = random.Random(k)
        pairs = qa_sentences(llm, material, "answer")
        beside = [suffix_sentence(llm, material, rng), generic_sentence(llm, "It rains in the north.", "")]
        steps = [(pairs[i % len(pairs)], *beside[: i % 3]) for i in range(2 + 2 * k)]
        out.append(Plan(tuple(steps), seed=1000 * k))
    return out


def alone(llm: LLM, plan: Plan, loss: str, lora: Lora, objective: Objective) -> Layer:
    return trainer.train(llm, plan.steps, loss, replace(lora, seed=plan.seed), objective)[0]


def off(ours: Layer, theirs: Layer) -> float:
    assert ours.keys() == theirs.keys()
    return max((ours[name][key] - theirs[name][key]).abs().max().item() for name in ours for key in ("A", "B"))


def same_as_alone(llm: LLM, loss: str, lora: Lora, objective: Objective = FORWARD, within: float = 1e-5) -> None:
    before = {name: tensor.clone() for name, tensor in llm.model.state_dict().items()}
    modules = [id(module) for module in llm.model.modules()]
    chosen = plans(llm)
    found = train_together(llm, chosen, loss, lora, objective)
    for k, (ours, plan) in enumerate(zip(found, chosen, strict=True)):
        assert off(ours, alone(llm, plan, loss, lora, objective)) < within, k
        assert max(part["B"].abs().max().item() for part in ours.values()) > 1e-3, "it was trained"
    assert off(found[0], found[1]) > 1e-3
    assert modules == [id(module) for module in llm.model.modules()]
    assert all(torch.equal(tensor, before[name]) for name, tensor in llm.model.state_dict().items())
    assert not any(p.requires_grad for p in llm.model.parameters())


def test_each_adapter_is_the_one_that_is_trained_alone(llm: LLM) -> None:
    same_as_alone(llm, "kl", LORA, Objective(reduction="vocab_mean"))


def test_each_is_so_with_all_layers_and_to_the_last_digits(exact: LLM) -> None:
    same_as_alone(exact, "ce", replace(LORA, upper=1.0, lr=1e-2), within=1e-8)


def test_the_order_and_the_company_change_nothing(llm: LLM) -> None:
    one, two, three = plans(llm)
    forwards = train_together(llm, [one, two, three], "ce", LORA)
    backwards = train_together(llm, [three, one], "ce", LORA)
    assert off(forwards[2], backwards[0]) < 1e-5
    assert off(forwards[0], backwards[1]) < 1e-5


def test_what_draws_by_chance_is_trained_one_by_one(llm: LLM, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[int] = []

    def train(_llm: LLM, _steps: object, _loss: str, lora: Lora, _objective: Objective) -> tuple[Layer, object]:
        seeds.append(lora.seed)
        return {}, {}

    monkeypatch.setattr(together, "train", train)
    train_together(llm, plans(llm), "kl", replace(LORA, dropout=0.1))
    train_together(llm, plans(llm), "kl", LORA, Objective(on_policy=True))
    assert seeds == [0, 1000, 2000] * 2


def test_a_text_without_target_sentences_stays_out_of_the_pass(llm: LLM) -> None:
    book = {"The harbour was built in 1931.": (Pair("When was it built?", "1931"),), "It rains again.": ()}
    method = registry.load("methods", "ft-s")(llm=llm, scribe=Scribe(book, None), epochs=2, answers="gold")
    taught, silent = book
    first, none, last = write_each(method, [taught, silent, taught])
    assert (len(first.layers), len(none.layers), len(last.layers)) == (1, 0, 1)
    assert off(first.layers[0], method.write(None, [taught]).layers[0]) < 1e-5
    assert none == method.write(None, [silent])
    assert write_each(method, [silent, silent]) == [none, none]
