"""What a GPU would wait for is counted on the tiny model: what comes back from the device, and what goes there."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from membench.checkpoints.budgets import Budgets, budgets_of
from membench.model.llm import LLM
from membench.reading import token_tree
from membench.reading.token_tree import Tree
from membench.values import Adapter, Recall

TEXT = "The harbour of Vellmar was built by Ines Corde in 1931. It lies in the north and holds forty ships. "
QUESTIONS = [f"Who built the harbour number {k}?" for k in range(6)]
CANDIDATES = [[f"Ines {k}", "Tam Reed", "1931", "in the north"] for k in range(6)]
HOUSE = str(Path(token_tree.__file__).parent.parent)
BACK = ("item", "tolist", "cpu", "numpy", "__bool__", "__int__", "__float__", "__index__")


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """How often values come back to the host, and tensors are made of Python's numbers."""
    found = {"back": 0, "there": 0}

    def watched(real: Any, kind: str) -> Any:
        def call(*given: Any, **named: Any) -> Any:
            place = sys._getframe(1).f_code.co_filename
            # The optimiser's counters of steps are on the host, and caches begin with tensors of nothing.
            found[kind] += place.startswith(HOUSE) if kind == "there" else "optim" not in place
            return real(*given, **named)

        return call

    with monkeypatch.context() as patch:
        for name in BACK:
            patch.setattr(torch.Tensor, name, watched(getattr(torch.Tensor, name), "back"))
        patch.setattr(torch, "tensor", watched(torch.tensor, "there"))
        yield found


def steps(llm: LLM, monkeypatch: pytest.MonkeyPatch) -> int:
    """Decoding steps of an answer to all questions."""
    passes = []
    real = Tree._forward

    def watched(tree: Tree, ids: list[int], *given: Any) -> Any:
        passes.append(len(ids))
        return real(tree, ids, *given)

    llm.answer(Recall(contexts=((TEXT,),) * 6), QUESTIONS)  # so that the worked examples are at hand
    with monkeypatch.context() as patch:
        patch.setattr(Tree, "_forward", watched)
        llm.answer(Recall(contexts=((TEXT,),) * 6), QUESTIONS)
    return len(passes)


def test_one_transfer_a_decoding_step_and_one_for_all_candidates(llm: LLM, monkeypatch: pytest.MonkeyPatch) -> None:
    recall = Recall(contexts=((TEXT,),) * 6)
    forwards = steps(llm, monkeypatch)
    with counted(monkeypatch) as plain:
        llm.answer(recall, QUESTIONS)
    with counted(monkeypatch) as scored:
        llm.answer(recall, QUESTIONS, CANDIDATES)
    assert plain["back"] <= llm.max_new_tokens
    assert scored["back"] == plain["back"] + 1, "whatever the number of candidates"
    assert plain["there"] == forwards, "what is known of new tokens goes there at once"


def test_a_step_of_training_waits_for_nothing(llm: LLM, monkeypatch: pytest.MonkeyPatch) -> None:
    from membench.trained.lora import Lora
    from membench.trained.sentences import Material, context_sentence
    from membench.trained.trainer import train
    from membench.trained.verdict import require_trainable

    sentence = context_sentence(llm, Material(TEXT, ()))
    require_trainable(llm)
    back = []
    for count in (2, 8):
        with counted(monkeypatch) as found:
            train(llm, [[sentence]] * count, "ce", Lora(rank=2, precision="float32"))
        back.append(found["back"])
    assert back[0] == back[1]


def test_masks_are_as_small_as_they_can_be(llm: LLM, monkeypatch: pytest.MonkeyPatch) -> None:
    """No numbers of eight bytes for each pair of tokens."""
    sizes = []
    real = Tree._mask

    def watched(tree: Tree, related: torch.Tensor, depth: torch.Tensor) -> Any:
        with torch.profiler.profile(profile_memory=True) as profile:
            mask = real(tree, related, depth)
        pairs = len(depth) * sum(map(len, tree._owner))
        sizes.append(max((e.cpu_memory_usage for e in profile.key_averages()), default=0) / pairs)
        return mask

    monkeypatch.setattr(Tree, "_mask", watched)
    tree = Tree(llm.model)
    with torch.no_grad():
        tree.grow([(None, [5] * 300)])
    assert max(sizes) < 5, sizes


def test_a_long_text_is_read_in_pieces_and_as_ever(llm: LLM, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [5 + k % 90 for k in range(100)]
    read = []
    for longest in (token_tree.LONGEST_RUN, 32):
        monkeypatch.setattr(token_tree, "LONGEST_RUN", longest)
        tree = Tree(llm.model)
        with torch.no_grad():
            (root, below), states = tree.grow([(None, ids[:70]), (0, ids[70:])])
            (longer,), more = tree.grow([(below, ids[:50])], extend=True)
        assert (root.depth, below.depth, longer.depth, longer.index) == (70, 100, 150, below.index)
        assert tree.tokens_read == 150
        read.append(torch.cat([*states, *more]))
    torch.testing.assert_close(read[1], read[0], atol=1e-5, rtol=1e-4)


def test_an_adapter_goes_to_an_accelerator_once_and_whole_weights_leave_it(llm: LLM) -> None:
    """Its factors on the device are those of the adapter worn last; on a CPU none are held twice."""
    name = "model.layers.1.mlp.down_proj"
    rows, columns = llm.model.get_submodule(name).weight.shape
    adapter = Adapter(({name: {"A": torch.ones(2, columns), "B": torch.ones(rows, 2)}},) * 2, 0.5)
    device = torch.device("meta")
    first = llm._merged(adapter, name, device)
    assert all(one is other for one, other in zip(llm._merged(adapter, name, device), first, strict=True))
    assert first[0].shape == (rows, 4)
    assert llm._merged(Adapter(adapter.layers, 1.0), name, device)[0] is not first[0]
    llm._merged(adapter, name, torch.device("cpu"))
    assert llm._factors[1] == {}


def test_budgets_follow_a_gpus_free_memory_and_are_fixed_on_a_cpu(llm: LLM, monkeypatch: pytest.MonkeyPatch) -> None:
    assert budgets_of(llm.model, torch.device("cpu")) == llm.budgets == Budgets(512, 1280, 2**30)
    found = []
    for free in (10**6, 10**9, 80 * 10**9):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _, free=free: (free, 2 * free))
        found.append(budgets_of(llm.model, torch.device("cuda")))
    assert found[0] == Budgets(first_writes=8)
    assert found[1].pass_tokens > 512
    assert found[2].kept_bytes == 10**10
    assert all(one.group_tokens <= other.group_tokens for one, other in pairwise(found))
