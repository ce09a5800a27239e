"""MemoryLLM's pool on the real default model: what a write keeps, what it drops, and that it can be stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from membench.api import Dataset
from membench.io import memory_codec as memories
from membench.keyvalues.pool import pieces
from membench.model.llm import LLM
from membench.plugins import registry

pytestmark = pytest.mark.e2e

SIZE, NEW, TEXTS = 96, 32, 4


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Four invented entities; each text alone fills the pool."""
    data: Dataset = registry.load("data", "worlds")().load("1", TEXTS, 0)
    return [context.text for context in data.contexts]


@pytest.fixture(scope="module")
def pool(smol: LLM) -> Any:
    """A pool with room for three pieces of text."""
    return registry.load("methods", "memoryllm")(llm=smol, size=SIZE, new=NEW, chunk=NEW)


@pytest.fixture(scope="module")
def written(pool: Any, texts: list[str]) -> list[Any]:
    """The memory after each text."""
    found = list[Any]()
    for text in texts:
        found.append(pool.write(found[-1] if found else None, [text]))
    return found


def test_old_vectors_stay_in_order_by_the_law_of_the_paper_and_the_newest_whole(
    smol: LLM, written: list[Any], texts: list[str]
) -> None:
    shares, expected = list[float](), list[float]()
    for text, before, memory in zip(texts, [None, *written], written, strict=False):
        old = 0 if before is None else before.states.shape[1]
        added = [len(piece) for piece in pieces(smol, text, NEW)]
        assert memory.states.shape[1] == min(SIZE, old + sum(added))
        if before is None or old < SIZE:
            continue
        above = (states[1:] for states in (before.states, memory.states))  # below, equal tokens have equal vectors
        for earlier, later in zip(*above, strict=True):
            same = (later[:, None] == earlier[None]).all(-1).nonzero()
            places = same[:, 1].tolist()
            assert places == sorted(set(places))
            assert same[:, 0].tolist() == list(range(len(places))), "what is left of the old stands before the new"
            shares.append(len(places) / SIZE)
        left = 1.0
        for count in added:
            left *= 1 - count / SIZE
        expected.append(left)
    assert len(expected) >= 3
    assert sum(shares) / len(shares) == pytest.approx(sum(expected) / len(expected), abs=0.03)


def test_the_newest_vectors_are_those_of_a_pool_that_drops_nothing(
    smol: LLM, written: list[Any], texts: list[str]
) -> None:
    roomy = registry.load("methods", "memoryllm")(llm=smol, size=100_000, new=NEW, chunk=NEW)
    first = list(pieces(smol, texts[0], NEW))
    ours, all_of_it = written[0].states, roomy.write(None, texts[:1]).states
    assert ours.shape[1] == SIZE < all_of_it.shape[1] == sum(map(len, first))
    torch.testing.assert_close(ours[:, -len(first[-1]) :], all_of_it[:, -len(first[-1]) :])


def test_the_same_seed_gives_the_same_pool_also_from_disk(
    pool: Any, written: list[Any], texts: list[str], tmp_path: Path
) -> None:
    half = pool.write(None, texts[:2])
    assert memories.equal(half, written[1])
    memories.save(half, tmp_path)
    loaded = memories.load(tmp_path)
    assert memories.equal(loaded, half)
    assert memories.equal(pool.write(loaded, texts[2:4]), written[3])
