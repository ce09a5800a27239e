"""Dense retrieval with the real encoder, and RAPTOR with the real UMAP."""

from __future__ import annotations

from statistics import mean

import numpy as np
import pytest

from membench import clusters, registry
from membench import memory as memories
from membench.api import Dataset
from membench.llm import LLM

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def worlds() -> Dataset:
    """Five invented entities."""
    data: Dataset = registry.load("data", "worlds")().load("1", 5, 0)
    return data


def test_dpr_with_the_default_encoder_finds_the_right_passage(smol: LLM, worlds: Dataset) -> None:
    dpr = registry.load("methods", "dpr")(llm=smol)
    memory = dpr.write(None, [context.text for context in worlds.contexts])
    hits = []
    for context in worlds.contexts:
        texts = [question.text for question in context.questions]
        hits += [found == (context.text,) for found in dpr.recall(memory, texts).contexts]
    assert len(hits) >= 30
    assert mean(hits) > 0.95


def test_raptor_grows_the_same_tree_for_the_same_seed(smol: LLM, worlds: Dataset) -> None:
    raptor = registry.load("methods", "raptor")(llm=smol, chunk_tokens=20)
    texts = [context.text for context in worlds.contexts]
    memory = raptor.write(None, texts)
    assert memory.tree.leaves > clusters.COMPONENTS + 1  # so that UMAP has its part in it
    assert memory.tree.summaries
    assert memories.equal(raptor.write(raptor.write(None, texts[:3]), texts[3:]), memory)


@pytest.mark.parametrize("n", [12, 13, 14, 30])
def test_umap_takes_few_nodes(n: int) -> None:
    vectors = np.random.default_rng(n).normal(size=(n, 384)).astype(np.float32)
    found = clusters.clusters(vectors, seed=0)
    assert {i for group in found for i in group} == set(range(n))
    assert clusters.clusters(vectors, seed=0) == found
