"""Dense retrieval with the real encoder, and RAPTOR with the real UMAP."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import pytest
import torch

import membench
from membench.api import Dataset
from membench.io import memory_codec as memories
from membench.model.llm import LLM
from membench.plugins import registry
from membench.retrieval import clusters
from tests.support.tree_walk import reached

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


def test_raptor_with_the_right_leaf_is_the_in_context_prompt(smol: LLM, worlds: Dataset) -> None:
    raptor = registry.load("methods", "raptor")(llm=smol, chunk_tokens=200)
    for context in worlds.contexts:
        texts = [question.text for question in context.questions]
        for question, found in zip(
            texts, raptor.recall(raptor.write(None, [context.text]), texts).contexts, strict=True
        ):
            assert smol.prompt(found, question).encode() == smol.prompt([context.text], question).encode()


@pytest.fixture(scope="module")
def grown(smol: LLM, worlds: Dataset) -> Any:
    """The memory of two of them in small leaves."""
    raptor = registry.load("methods", "raptor")(llm=smol, chunk_tokens=20)
    return raptor.write(None, [context.text for context in worlds.contexts[:2]])


def test_raptor_grows_the_same_tree_for_the_same_seed(smol: LLM, worlds: Dataset, grown: Any) -> None:
    raptor = registry.load("methods", "raptor")(llm=smol, chunk_tokens=20)
    one, two = (context.text for context in worlds.contexts[:2])
    assert grown.tree.leaves > clusters.COMPONENTS + 1  # so that UMAP has its part in it
    assert grown.tree.summaries
    assert memories.equal(raptor.write(raptor.write(None, [one]), [two]), grown)


@pytest.mark.parametrize("n", range(1, 13))
def test_every_leaf_of_a_small_tree_is_reached(smol: LLM, worlds: Dataset, n: int) -> None:
    raptor = registry.load("methods", "raptor")(llm=smol, chunk_tokens=20)
    leaves = raptor.passages([context.text for context in worlds.contexts])[:n]
    tree = raptor.write(None, leaves).tree
    assert tree.leaves == n
    assert reached(tree) == set(range(len(tree.vectors)))


def test_raptor_brings_no_more_tokens_than_its_budget(smol: LLM, worlds: Dataset, grown: Any) -> None:
    raptor = registry.load("methods", "raptor")(llm=smol, chunk_tokens=20, budget=90)
    questions = [question.text for context in worlds.contexts[:2] for question in context.questions[:5]]
    for method in (raptor, replace(raptor, budget=400, retrieval="traversal")):
        recalled = method.recall(grown, questions).contexts
        sizes = [sum(len(smol.ids(text)) for text in texts) for texts in recalled]
        assert method.budget / 2 < max(sizes) <= method.budget


def test_a_tree_without_summaries_is_dense_retrieval(
    smol: LLM, worlds: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = {"llm": smol, "chunk_tokens": 20, "k": 3, "budget": 0}
    raptor, dpr = (registry.load("methods", name)(**shared) for name in ("raptor", "dpr"))
    monkeypatch.setattr(f"{type(raptor).__module__}.groups", lambda points, *_: [(i,) for i in range(len(points))])
    texts = [context.text for context in worlds.contexts]
    questions = [question.text for context in worlds.contexts for question in context.questions]
    memory = raptor.write(None, texts)
    assert memory.tree.summaries == ()
    assert raptor.recall(memory, questions) == dpr.recall(dpr.write(None, texts), questions)


def test_some_leaves_of_real_text_stand_in_two_clusters(smol: LLM) -> None:
    """By the mixture's own probabilities; rare with the published clustering, so several seeds may be needed."""
    source = (Path(membench.__file__).parent / "corpora" / "generic_text.txt").read_text(encoding="utf-8")
    leaves = [line for line in source.splitlines() if line and not line.startswith("#")]
    raptor = registry.load("methods", "raptor")(llm=smol)
    shared = 0
    for seed in range(5):
        tree = replace(raptor, seed=seed).write(None, leaves).tree
        assert reached(tree) == set(range(len(tree.vectors)))
        parents = Counter(child for group in tree.children for child in group)
        shared = sum(parents[leaf] > 1 for leaf in range(tree.leaves))
        if shared:
            break
    assert shared


@pytest.mark.parametrize("n", [12, 13, 14, 30])
def test_umap_takes_few_nodes(n: int) -> None:
    vectors = np.random.default_rng(n).normal(size=(n, 384)).astype(np.float32)
    found = clusters.clusters(vectors, seed=0)
    assert {i for group in found for i in group} == set(range(n))
    assert clusters.clusters(vectors, seed=0) == found


def test_umap_leaves_the_number_of_threads() -> None:
    before = torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            clusters.reduced(np.random.default_rng(0).normal(size=(20, 384)).astype(np.float32), 4, seed=0)
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
