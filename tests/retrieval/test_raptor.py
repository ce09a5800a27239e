"""RAPTOR: clusters, summaries, the tree and its two ways of being searched.

Most tests put the first dimensions of the vectors in UMAP's place, whose compilation alone takes a minute; the tests on
the real encoder use UMAP itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from membench.errors import MembenchError
from membench.io import memory_codec as memories
from membench.model.llm import LLM
from membench.plugins import registry
from membench.plugins.tiny_model import tiny_encoder
from membench.retrieval import clusters, summarisers
from membench.retrieval.clusters import COMPONENTS, groups, members
from membench.retrieval.encoders import Vectors
from membench.retrieval.summary_tree import MOST_LAYERS, SummaryTree, descend, grow
from membench.targets import openai_endpoint
from membench.targets.scribe import Scribe
from membench.text.sentences import sentences
from tests.support.chat_server import completion, refusal, serving
from tests.support.tree_walk import reached

pytestmark = pytest.mark.long

PLACES = ("Vellmar", "Oxley", "Tarn", "Brannow", "Denby", "Carrow", "Sule")
THINGS = ("harbour", "museum", "clock", "bank", "inn")
TEXTS = tuple(
    f"The {thing} of {place} has {7 * i + k} rooms." for i, place in enumerate(PLACES) for k, thing in enumerate(THINGS)
)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_encoder(tmp_path_factory.mktemp("encoder") / "tiny"))


@pytest.fixture
def raptor(llm: LLM, encoder: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Makes the method, with plain dimensions in place of UMAP's."""

    def plain(vectors: Vectors, neighbours: int, seed: int) -> Vectors:
        assert len(vectors) > COMPONENTS + 1
        assert 1 < neighbours < len(vectors)
        return vectors[:, :COMPONENTS]

    monkeypatch.setattr(clusters, "reduced", plain)

    def make(**settings: Any) -> Any:
        scribe = Scribe({}, None, offline=True)
        return registry.load("methods", "raptor")(llm=llm, scribe=scribe, encoder=encoder, **settings)

    return make


@pytest.mark.parametrize("n", range(1, 13))
def test_any_small_number_of_leaves_makes_a_tree(raptor: Callable[..., Any], n: int) -> None:
    method = raptor()
    memory = method.write(None, TEXTS[:n])
    assert memory.tree.leaves == n
    assert reached(memory.tree) == set(range(len(memory.tree.vectors)))
    assert (len(memory.tree.summaries) > 0) == (n > 1)
    (found,) = method.recall(memory, [f"Where is {TEXTS[0]}"]).contexts
    assert TEXTS[0] in found


def test_many_leaves_make_layers_and_every_leaf_is_reached(raptor: Callable[..., Any]) -> None:
    tree = raptor().write(None, TEXTS).tree
    assert reached(tree) == set(range(len(tree.vectors)))
    assert all(len(group) > 1 for group in tree.children)
    assert all(max(group) < tree.leaves + i for i, group in enumerate(tree.children))
    assert len(tree.roots) < 0.9 * tree.leaves


def test_the_same_seed_grows_the_same_tree(raptor: Callable[..., Any]) -> None:
    method = raptor()
    whole = method.write(None, TEXTS)
    assert memories.equal(method.write(method.write(None, TEXTS[:20]), TEXTS[20:]), whole)
    assert memories.equal(method.forget(whole, TEXTS[:20]), method.write(None, TEXTS[20:]))
    seeds: list[int] = []

    def noted(vectors: Vectors, sizes: Sequence[int], limit: int, seed: int) -> list[tuple[int, ...]]:
        seeds.append(seed)
        return []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{type(method).__module__}.groups", noted)
        replace(method, seed=5).write(None, TEXTS[:3])
    assert seeds == [5]


def test_membership_is_soft() -> None:
    found = members(np.array([[0.5, 0.5, 0.0], [0.95, 0.05, 0.0], [0.11, 0.89, 0.0], [0.1, 0.9, 0.0]]))
    assert found == [(0, 1, 2), (0, 2, 3)]
    assert members(np.full((2, 20), 0.05)) == [(0, 1)]  # below the threshold everywhere, and still in a cluster


def test_a_leaf_may_have_several_parents(llm: LLM) -> None:
    vectors = np.eye(4, dtype=np.float32)
    layers: Iterator[list[tuple[int, ...]]] = iter([[(0, 1), (1, 2, 3)], [(0, 1)]])
    tree = grow("abcd", vectors, lambda *_: next(layers), lambda texts, _: "".join(texts), lambda t: vectors[: len(t)])
    assert tree.summaries == ("ab", "bcd", "abbcd")
    assert tree.children == ((0, 1), (1, 2, 3), (4, 5))
    assert tree.roots == [6]


def test_a_leaf_that_two_clusters_claim_stands_in_both(
    raptor: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def halves(points: Vectors, seed: int) -> Any:
        """The middle one belongs to both."""
        share = np.linspace(0, 1, len(points)).round(0)
        share[len(points) // 2] = 0.5
        return np.stack([share, 1 - share], axis=1)

    monkeypatch.setattr(clusters, "mixture", halves)
    tree = raptor().write(None, TEXTS).tree
    parents = Counter(child for group in tree.children for child in group)
    assert reached(tree) == set(range(len(tree.vectors)))
    assert parents[len(TEXTS) // 2] > 1
    assert parents[0] == 1


def test_growth_stops_where_a_layer_hardly_shrinks() -> None:
    def staircase(texts: Sequence[str], _: Vectors) -> list[tuple[int, ...]]:
        return [(0, 1), *((i,) for i in range(2, len(texts)))]

    def grown(n: int) -> SummaryTree:
        vectors = np.ones((n, 2), np.float32)
        return grow(["leaf"] * n, vectors, staircase, lambda *_: "sum", lambda texts: vectors[: len(texts)])

    assert grown(20).summaries == ()
    assert grown(20).roots == list(range(20))
    assert grown(11).summaries == ()
    assert len(grown(10).summaries) == MOST_LAYERS
    alone = grown(4)
    assert alone.children == ((0, 1), (2, 3), (4, 5))  # who is alone in a cluster moves up as it is


def test_a_cluster_fits_the_summariser(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    monkeypatch.setattr(clusters, "reduced", lambda vectors, neighbours, seed: vectors[:, :COMPONENTS])
    vectors = rng.normal(size=(30, 12)).astype(np.float32)
    sizes = [int(size) for size in rng.integers(5, 60, size=30)]
    for limit in (1, 50, 100, 10_000):
        found = groups(vectors, sizes, limit, seed=0)
        assert {i for group in found for i in group} == set(range(30))
        assert all(len(group) == 1 or sum(sizes[i] for i in group) <= limit for group in found)


def test_a_tree_of_leaves_alone_is_dense_retrieval(
    raptor: Callable[..., Any], encoder: str, llm: LLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = raptor(k=4, chunk_tokens=24, budget=0)
    dense = registry.load("methods", "dpr")(llm=llm, encoder=encoder, k=4, chunk_tokens=24)
    contexts = [" ".join(TEXTS[i : i + 5]) for i in range(0, 35, 5)]
    monkeypatch.setattr(f"{type(method).__module__}.groups", lambda points, *_: [(i,) for i in range(len(points))])
    memory, plain = method.write(None, contexts), dense.write(None, contexts)
    assert memory.tree.summaries == ()
    assert np.array_equal(memory.tree.vectors, plain.vectors)
    questions = ["Where is the clock of Tarn?", "How many rooms has the inn of Sule?"]
    assert method.recall(memory, questions) == dense.recall(plain, questions)


def test_a_planted_tree_is_searched_as_a_whole_or_from_the_roots(raptor: Callable[..., Any]) -> None:
    method = raptor(k=2)
    memory = method.write(None, TEXTS[:4])
    planted = ("Ships come and go.", "Glass and brass, zinc and lead.", "All of the above.")
    vectors = np.concatenate([memory.tree.vectors[:4], method.encoded(planted)])
    memory = replace(memory, tree=SummaryTree(planted, ((0, 1), (2, 3), (4, 5)), vectors))
    (found,) = method.recall(memory, [planted[1]]).contexts
    assert found[0] == planted[1]
    (best,) = raptor(k=1).recall(memory, [TEXTS[2]]).contexts
    assert best == (TEXTS[2],)
    nodes, tokens = (*TEXTS[:4], *planted), method.llm.ids
    for budget in (20, 40, 60, 1000):  # the published rule: the nearest of all nodes, up to the first that does not fit
        question = "What of glass and ships?"
        nearness = vectors @ method.encoded([question], question=True)[0]
        taken, used = [], 0
        for node in sorted(range(7), key=lambda i: -nearness[i]):
            used += len(tokens(nodes[node]))
            if used > budget:
                break
            taken.append(nodes[node])
        assert raptor(budget=budget).recall(memory, [question]).contexts == (tuple(taken),)
    (way,) = raptor(k=1, retrieval="traversal").recall(memory, [planted[1]]).contexts
    assert way[:2] == (planted[2], planted[1])
    assert way[2] in TEXTS[2:4]  # one node at each level, down to a leaf


def test_traversal_keeps_the_nearest_of_each_level() -> None:
    tree = SummaryTree(("", "", ""), ((0, 1), (1, 2, 3), (4, 5)), np.zeros((7, 1), np.float32))
    assert descend(tree, [0.9, 0.1, 0.2, 0.3, 0.4, 0.5, 0.0], 1) == [6, 5, 3]
    assert descend(tree, [0.9, 0.1, 0.2, 0.3, 0.4, 0.5, 0.0], 2) == [6, 5, 4, 0, 3]


def test_an_extractive_summary_is_whole_central_sentences(raptor: Callable[..., Any], llm: LLM) -> None:
    method = raptor()
    llm.meter.lap()
    memory = method.write(None, TEXTS[:8])
    known = {sentence for text in TEXTS[:8] for sentence in sentences(text)}
    assert len(memory.tree.summaries) == 1
    assert set(sentences(memory.tree.summaries[0])) < known
    assert len(llm.ids(memory.tree.summaries[0])) <= summarisers.SUMMARY_TOKENS
    assert list(llm.meter.lap()[1]) == ["encoder"]


def test_the_sentences_nearest_to_the_centre_are_chosen_in_their_order(llm: LLM) -> None:
    angles = np.radians([80, 5, 60, 0, 35])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    said = [f"Sentence {word} says what it says again and again." for word in ("one", "two", "three", "four", "five")]
    extractive = summarisers.Extractive(
        lambda _: pytest.fail("all are known"), llm, dict(zip(said, vectors, strict=True))
    )
    centre = vectors[[3]]
    size = len(llm.ids(f" {said[0]}"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(summarisers, "SUMMARY_TOKENS", 3 * size + size // 2)
        assert extractive([" ".join(said)], centre) == " ".join([said[1], said[3], said[4]])


def test_the_model_itself_sums_up_and_is_charged(raptor: Callable[..., Any], llm: LLM) -> None:
    method = raptor(summaries="self")
    llm.meter.lap()
    memory = method.write(None, TEXTS[:8])
    spent = llm.meter.lap()[1]
    assert sorted(spent) == ["encoder", "summariser"]
    assert spent["summariser"]["generated"] <= summarisers.SUMMARY_TOKENS
    prompt = summarisers.SELF_PROMPT.format(text="\n".join(TEXTS[:8]))
    assert spent["summariser"]["read"] >= len(llm.ids(prompt))
    assert memories.equal(method.write(None, TEXTS[:8]), memory)


def test_an_endpoint_sums_up_and_is_charged(
    raptor: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, llm: LLM
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as server:
        server.replies = [completion("<think>Which rooms?</think>Rooms  of\nmany places."), completion(" ")]
        method = replace(raptor(summaries="openai:some-model"), scribe=Scribe({}, None, server.url))
        llm.meter.lap()
        assert method.write(None, TEXTS[:3]).tree.summaries == ("Rooms of many places.",)
        assert llm.meter.lap()[1]["summariser"] == {"read": 100, "generated": 11}
        [request] = server.requests
        assert request["model"] == "some-model"
        assert "response_format" not in request
        assert "\n".join(TEXTS[:3]) in request["messages"][-1]["content"]
        assert method.write(None, TEXTS[:3]).tree.summaries == raptor().write(None, TEXTS[:3]).tree.summaries
        server.replies = [refusal("no such model", 404)]
        with pytest.raises(MembenchError, match=r"^summariser openai:some-model: http://127.* answered 404: no such"):
            method.write(None, TEXTS[:3])
    with pytest.raises(MembenchError, match=r"--offline, and openai:some-model has not summed up 'The harbour of"):
        raptor(summaries="openai:some-model").write(None, TEXTS[:3])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"retrieval": "dfs"}, "setting retrieval of raptor wants one of collapsed, traversal, got 'dfs'"),
        ({"summaries": "extractiv"}, "unknown summariser 'extractiv': did you mean 'extractive'?"),
        ({"summaries": "self:gpt"}, "summariser self takes nothing after a colon: write summaries=self"),
        ({"k": -1}, "setting k of raptor wants 0 or more, got -1"),
    ],
)
def test_settings_out_of_range_are_one_line(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(MembenchError) as error:
        registry.load("methods", "raptor")(**settings)
    assert str(error.value) == message


def test_what_identifies_a_summariser() -> None:
    assert summarisers.provenance("extractive") == {"summariser": "extractive"}
    assert summarisers.provenance("self")["prompt"] != summarisers.provenance("openai")["prompt"]
    assert summarisers.provenance("openai")["model"] == openai_endpoint.MODEL
