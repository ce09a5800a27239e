"""Hybrid retrieval: the fusion is the paper's, and the rankings are those of bm25 and dpr."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from membench.io import memory_codec as memories
from membench.model.llm import LLM
from membench.plugins import registry
from membench.plugins.tiny_model import tiny_encoder
from membench.retrieval.bm25_index import Postings, best
from membench.retrieval.fusion import FLATNESS, fused

WORDS = ("harbour", "survey", "museum", "glass", "bank", "crane", "north", "ships", "paper", "tower", "river", "salt")
TEXTS = tuple(" ".join(random.Random(i).choices(WORDS, k=9)) for i in range(30))
QUESTIONS = ("harbour glass", "the bank of the river", "salt tower north ships", "crane crane", "nothing known")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_encoder(tmp_path_factory.mktemp("encoder") / "tiny"))


def test_the_fusion_is_that_of_the_paper() -> None:
    assert FLATNESS == 60
    assert fused([[4, 2, 9], [2, 4, 7]]) == [2, 4, 7, 9]  # 2 and 4, then 7 and 9, have equal sums
    assert fused([[5, 1], [1]]) == [1, 5]  # 1/62 + 1/61 against 1/61
    assert fused([[3, 1, 2]]) == [3, 1, 2]
    assert fused([[], [8, 6]]) == [8, 6]
    assert fused([]) == []


def test_documents_that_share_no_word_have_no_rank() -> None:
    rng = random.Random(7)
    corpus = [[f"w{rng.randint(0, 30)}" for _ in range(rng.randint(0, 8))] for _ in range(60)]
    index = Postings(corpus, k1=1.5, b=0.75)
    for _ in range(30):
        query = [f"w{rng.randint(0, 40)}" for _ in range(rng.randint(0, 4))]
        sharing = [place for place in best(index.get_scores(query), 60) if set(query) & set(corpus[place])]
        for k in (1, 5, 60):
            assert index.ranked(query, k) == sharing[:k]


def test_it_fuses_what_bm25_and_dpr_find(llm: LLM, encoder: str) -> None:
    hybrid, dense = (registry.load("methods", name)(llm=llm, encoder=encoder, k=30) for name in ("hybrid", "dpr"))
    bm25 = registry.load("methods", "bm25")(llm=llm, k=30)
    memory = hybrid.write(None, TEXTS)
    assert memories.equal(memory, dense.write(None, TEXTS))
    every = zip(QUESTIONS, *(m.search(memory, QUESTIONS) for m in (hybrid, dense)), bm25.search(TEXTS, QUESTIONS),
                strict=True)  # fmt: skip
    for question, found, by_vector, by_words in every:
        asked = set(question.split())
        sums = np.zeros(30)
        for ranking in (by_vector, [place for place in by_words if asked & set(TEXTS[place].split())]):
            for rank, place in enumerate(ranking, 1):
                sums[place] += 1 / (60 + rank)
        assert found == sorted(range(30), key=lambda i: (-round(float(sums[i]), 12), i))
    first = registry.load("methods", "hybrid")(llm=llm, encoder=encoder)
    assert [found[0] for found in first.search(memory, QUESTIONS)] == [f[0] for f in hybrid.search(memory, QUESTIONS)]


def test_without_a_shared_word_it_is_dpr(llm: LLM, encoder: str) -> None:
    hybrid, dense = (registry.load("methods", name)(llm=llm, encoder=encoder, k=5) for name in ("hybrid", "dpr"))
    memory = dense.write(None, TEXTS)
    asked = ["Who was that?", "quite unknown"]
    assert hybrid.recall(memory, asked).contexts == dense.recall(memory, asked).contexts


def test_the_row_of_a_table_names_the_encoder(tmp_path: Path) -> None:
    assert registry.load("methods", "hybrid")(encoder=str(tmp_path / "mine")).label == "hybrid (mine)"
