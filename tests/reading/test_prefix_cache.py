"""What is read once: the worked examples between calls, and a long beginning between groups of questions."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from membench.api import Adapter, Recall
from membench.model.decoding import Reading
from membench.model.llm import LLM
from membench.reading.prefix_cache import PrefixCache
from membench.reading.token_tree import Tree

TEXTS = ("The harbour was built by Ines Corde in 1931.", "Forty ships lie in the north.")
QUESTIONS = ("Who built the harbour?", "In what year was it built, and by whom?", "How many ships?")
NAME = "model.layers.0.self_attn.k_proj"


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Tokens of every forward pass."""
    found: list[int] = []
    forward = Tree._forward

    def counted(tree: Tree, ids: list[int], *rest: Any) -> Any:
        found.append(len(ids))
        return forward(tree, ids, *rest)

    monkeypatch.setattr(Tree, "_forward", counted)
    return found


def read(llm: LLM, adapter: Adapter | None = None) -> list[Reading]:
    return llm.answer(Recall(contexts=(TEXTS,) * 3, adapter=adapter), QUESTIONS, [("Ines Corde", "Forty")] * 3)


def same(one: list[Reading], other: list[Reading]) -> bool:
    return all(
        a.ids == b.ids and a.logprobs == b.logprobs and torch.equal(a.hidden, b.hidden)
        for a, b in zip(one, other, strict=True)
    )


def adapter_of(llm: LLM, seed: int) -> Adapter:
    rng = torch.Generator().manual_seed(seed)
    out, into = llm.model.get_submodule(NAME).weight.shape
    layer = {NAME: {"A": torch.randn(4, into, generator=rng), "B": torch.randn(out, 4, generator=rng)}}
    return Adapter((layer,), 0.1)


def test_the_examples_are_read_once_and_answers_are_the_same_bit_for_bit(llm: LLM, passes: list[int]) -> None:
    head = len(llm.segment_ids([], "")[0])
    llm.first_segment = PrefixCache()
    cold = read(llm)
    first, passes[:] = list(passes), []
    llm.meter.lap()
    warm = read(llm)
    assert first[0] == head
    assert passes == first[1:]
    assert same(cold, warm)


def test_tokens_are_counted_whether_they_are_kept_or_not(llm: LLM) -> None:
    counts = []
    for kept in (PrefixCache(), None):
        llm.first_segment = kept or llm.first_segment
        llm.meter.lap()
        read(llm)
        counts.append(llm.meter.lap()[1])
    assert counts[0] == counts[1]


def test_worn_weights_have_examples_of_their_own(llm: LLM) -> None:
    adapters = [adapter_of(llm, seed) for seed in (1, 2)]
    fresh = []
    for adapter in (None, *adapters):
        llm.first_segment = PrefixCache()
        fresh.append(read(llm, adapter))
    for i in (0, 1, 1, 2, 0, 2, 1, 0):
        assert same(read(llm, (None, *adapters)[i]), fresh[i])
    assert not same(fresh[1], fresh[2])


def test_weights_in_training_are_not_kept(llm: LLM, passes: list[int]) -> None:
    llm.first_segment = PrefixCache()
    weight = llm.model.get_submodule(NAME).weight
    head = len(llm.segment_ids([], "")[0])
    weight.requires_grad_(True)
    try:
        read(llm)
        read(llm)
    finally:
        weight.requires_grad_(False)
    assert passes.count(head) == 2


def test_a_weight_changed_in_place_is_noticed(llm: LLM) -> None:
    before = read(llm)
    weight = llm.model.get_submodule(NAME).weight
    whole = weight.clone()
    with torch.no_grad():
        weight.mul_(0.5)
        changed = read(llm)
        weight.copy_(whole)
    assert not same(changed, before)
    assert same(read(llm), before)


def test_a_long_beginning_is_read_once_for_all_groups(llm: LLM, passes: list[int]) -> None:
    texts = tuple(f"{text} ({k})" for k in range(16) for text in TEXTS)
    questions = [f"{question} Say it {k} times." for k in range(10) for question in QUESTIONS]
    head, *rest = llm.segment_ids(texts, "")
    asked = [len(llm.segment_ids([], question)[1]) for question in questions]
    assert sum(map(len, rest)) > 500
    assert sum(map(len, rest[:-1])) + sum(asked) > 1.1 * llm.budgets.group_tokens
    llm.first_segment = PrefixCache()
    llm.meter.lap()
    together = llm.answer(Recall(contexts=(texts,) * len(questions)), questions)
    read_tokens = llm.meter.lap()[1]["reader"]["read"]
    whole = len(head) + sum(map(len, rest[:-1])) + sum(asked)
    assert 0 <= whole - read_tokens <= len(questions)  # the last token of a cut answer is generated and never read
    for i in (0, 13, 29):
        (alone,) = llm.answer(Recall(contexts=(texts,)), [questions[i]])
        assert alone.ids == together[i].ids
