"""What the retrieval methods share: how texts are cut, how many stand in the prompt, and exact forgetting."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rank_bm25 import BM25Plus

from membench.errors import MembenchError
from membench.io import memory_codec as memories
from membench.model.llm import LLM
from membench.plugins import registry
from membench.plugins.tiny_model import tiny_encoder
from membench.retrieval.bm25_index import Postings, best
from membench.retrieval.passages import passages
from membench.retrieval.summarisers import SUMMARY_TOKENS, Extractive
from membench.text.sentences import sentences

HARBOUR = "The harbour of Vellmar was built by Ines Corde in 1931. It lies in the north. It holds ships, and a crane."
SURVEY = "The Oxley Trade Survey is sponsored by the Brannow Bank. It appears every March.\nIts editor is Tam Reed."
MUSEUM = "The museum of Tarn shows glass from the south."
TEXTS = (HARBOUR, SURVEY, MUSEUM)
QUESTIONS = ("Who built the harbour of Vellmar?", "Which bank sponsors the Oxley Trade Survey?", "What does Tarn show?")
METHODS = ("bm25", "dpr", "hybrid", "raptor")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_encoder(tmp_path_factory.mktemp("encoder") / "tiny"))


def made(name: str, llm: LLM, encoder: str, **settings: Any) -> Any:
    own = {} if name == "bm25" else {"encoder": encoder}
    return registry.load("methods", name)(llm=llm, **own, **settings)


def count(text: str) -> int:
    return len(text.split())


def test_passages_are_whole_sentences_within_the_limit() -> None:
    assert passages(HARBOUR, 99, 0, count) == (HARBOUR,)
    assert passages("  spaces stay \n", 99, 0, count) == ("  spaces stay \n",)
    assert passages(HARBOUR, 16, 0, count) == (HARBOUR[:77], HARBOUR[78:])
    assert passages(SURVEY, 12, 0, count) == (SURVEY[:56], SURVEY[57:])
    assert passages(SURVEY, 8, 0, count)[1:] == ("Brannow Bank. It appears every March.", "Its editor is Tam Reed.")
    assert passages("one two, three four five", 3, 0, count) == ("one two,", "three four five")
    assert passages("one two three four", 2, 0, count) == ("one two", "three four")
    assert passages("abc", 0, 0, len) == ("a", "b", "c")


@pytest.mark.parametrize("overlap", [0, 3, 8, 15])
def test_overlapping_passages_repeat_and_lose_nothing(overlap: int) -> None:
    rng = random.Random(overlap)
    text = " ".join(f"{'word ' * rng.randint(1, 9)}end{i}." for i in range(60))
    cut = passages(text, 16, overlap, count)
    assert max(map(count, cut)) <= 16
    found = [sentence for passage in cut for sentence in sentences(passage)]
    assert list(dict.fromkeys(found)) == list(dict.fromkeys(sentences(text)))
    assert (len(found) > len(sentences(text))) == (overlap > 0)
    repeated = [set(sentences(one)) & set(sentences(two)) for one, two in itertools.pairwise(cut)]
    assert all(sum(map(count, those)) <= overlap for those in repeated)


def test_scores_are_those_of_rank_bm25() -> None:
    rng = random.Random(5)
    vocabulary = [f"w{i}" for i in range(40)]
    corpus = [[rng.choice(vocabulary) for _ in range(rng.randint(0, 30))] for _ in range(200)]
    ours, theirs = Postings(corpus, k1=1.2, b=0.6), BM25Plus(corpus, k1=1.2, b=0.6)
    for _ in range(20):
        query = [rng.choice([*vocabulary, "unknown"]) for _ in range(rng.randint(0, 8))]
        assert np.array_equal(ours.get_scores(query), theirs.get_scores(query))


def test_the_best_are_those_of_a_stable_sort() -> None:
    scores = np.array([random.Random(i).randint(0, 5) for i in range(100)], dtype=float)
    order = np.argsort(-scores, kind="stable")
    for k in (1, 2, 7, 99, 100, 500):
        assert best(scores, k) == order[:k].tolist()


@pytest.mark.parametrize("name", METHODS)
def test_the_right_passage_on_top_is_the_in_context_prompt(name: str, llm: LLM, encoder: str) -> None:
    method = made(name, llm, encoder, k=1)
    memory = method.write(method.write(None, TEXTS[:2]), TEXTS[2:])
    reference = registry.load("methods", "in-context")(llm=llm)
    for context, found in zip(TEXTS, method.recall(memory, TEXTS).contexts, strict=True):  # each nearest to itself
        (given,) = reference.recall(reference.write(None, [context]), QUESTIONS[:1]).contexts
        assert llm.prompt(found, QUESTIONS[0]).encode() == llm.prompt(given, QUESTIONS[0]).encode()


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("settings", [{}, {"chunk_tokens": 24}, {"chunk_tokens": 24, "overlap": 12}])
def test_forgetting_is_exact(name: str, llm: LLM, encoder: str, settings: dict[str, int]) -> None:
    method = made(name, llm, encoder, **settings)
    both = method.write(method.write(None, TEXTS[:1]), TEXTS[1:])
    assert memories.equal(both, method.write(None, TEXTS))
    for gone in TEXTS:
        kept = [text for text in TEXTS if text != gone]
        assert memories.equal(method.forget(both, [gone]), method.write(None, kept))
    assert memories.equal(method.forget(both, ["never written"]), both)
    assert method.forget(both, TEXTS) is None


@pytest.mark.parametrize(
    ("name", "way"), [("bm25", {}), ("dpr", {}), ("hybrid", {}), ("raptor", {}), ("raptor", {"retrieval": "traversal"})]
)
def test_the_budget_is_never_exceeded_and_stops_at_the_first_that_does_not_fit(
    name: str, way: dict[str, Any], llm: LLM, encoder: str
) -> None:
    free = made(name, llm, encoder, k=50, chunk_tokens=24, **way)
    memory = free.write(None, TEXTS)
    for budget in (1, 20, 40, 80, 200):
        tight = made(name, llm, encoder, k=50, chunk_tokens=24, budget=budget, **way)
        pairs = zip(free.recall(memory, QUESTIONS).contexts, tight.recall(memory, QUESTIONS).contexts, strict=True)
        for every, kept in pairs:
            sizes = [len(llm.ids(text)) for text in every]
            assert kept == every[: len(kept)]
            assert sum(sizes[: len(kept)]) <= budget
            assert len(kept) == len(every) or sum(sizes[: len(kept) + 1]) > budget


def test_without_a_budget_the_window_is_the_limit(llm: LLM, encoder: str) -> None:
    texts = tuple(f"Note {i}: " + "who built the harbour of Vellmar " * 9 for i in range(40))
    method = made("bm25", llm, encoder, k=40)
    (found,) = method.recall(method.write(None, texts), QUESTIONS[:1]).contexts
    used = sum(map(len, llm.segment_ids(found, QUESTIONS[0]))) + llm.max_new_tokens
    assert 0 < len(found) < 40
    assert used <= llm.window < used + 3 * max(len(llm.ids(text)) for text in texts)
    assert len(llm.answer(method.recall(method.write(None, texts), QUESTIONS[:1]), QUESTIONS[:1])) == 1


def test_passages_stand_in_the_order_asked_for(llm: LLM, encoder: str) -> None:
    by_score, written = (made("bm25", llm, encoder, k=3, order=order) for order in ("score", "written"))
    memory = by_score.write(None, TEXTS)
    (one,) = by_score.recall(memory, ["What glass does the museum of Tarn show?"]).contexts
    (other,) = written.recall(memory, ["What glass does the museum of Tarn show?"]).contexts
    assert one[0] == MUSEUM
    assert other == TEXTS
    assert sorted(one) == sorted(other)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"chunk_tokens": -1}, "setting chunk_tokens of bm25 wants 0 or more, got -1"),
        ({"budget": -5}, "setting budget of bm25 wants 0 or more, got -5"),
        ({"overlap": 4}, "setting overlap must be below chunk_tokens (0), got 4"),
        ({"order": "random"}, "setting order of bm25 wants one of score, written, got 'random'"),
    ],
)
def test_settings_out_of_range_are_one_line(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(MembenchError) as error:
        registry.load("methods", "bm25")(**settings)
    assert str(error.value) == message


def test_nothing_written_is_nothing_recalled(llm: LLM, encoder: str, tmp_path: Path) -> None:
    for name in METHODS:
        method = made(name, llm, encoder)
        assert method.recall(None, QUESTIONS).contexts is None
        assert method.write(None, []) in (None, ())


CHINESE = "韦尔马港口由伊内斯建造，位于河流北岸。该港口主要运输木材和食盐，每年冬天停靠四十艘船。" * 4
UNSPACED = {
    "zh": CHINESE,
    "th": "เขาเกิดที่เชียงใหม่และทำงานที่กรุงเทพมหานคร" * 9,
    "emoji": "👩\u200d👩\u200d👧" * 40,
    "blob": "9f86d081" * 60,
}


@pytest.mark.parametrize("text", UNSPACED.values(), ids=UNSPACED.keys())
@pytest.mark.parametrize(("limit", "overlap"), [(100, 0), (40, 20), (7, 0)])
def test_passages_without_spaces_keep_the_limit_and_lose_nothing(text: str, limit: int, overlap: int, llm: LLM) -> None:
    def tokens(part: str) -> int:
        return len(llm.ids(part))

    cut = passages(text, limit, overlap, tokens)
    assert max(map(tokens, cut)) <= limit
    assert overlap or "".join(cut) == text
    assert min(map(tokens, cut[:-1])) > limit // 4


def test_the_budget_of_a_full_context_keeps_characters(llm: LLM) -> None:
    method = registry.load("methods", "full-context")(llm=llm, budget=30)
    (found,) = method.recall(method.write(None, [CHINESE]), ["谁？"]).contexts
    (kept,) = found
    assert CHINESE.endswith(kept)
    assert 20 < len(llm.ids(kept)) <= 30


def test_summaries_of_text_without_spaces_keep_their_length(llm: LLM, encoder: str) -> None:
    long = UNSPACED["th"]
    extractive = Extractive(lambda texts: np.eye(len(texts), 8, dtype=np.float32), llm, {})
    summary = extractive([long, long[::-1]], np.ones((2, 8), np.float32))
    assert 0 < len(llm.ids(f" {summary}")) <= SUMMARY_TOKENS


@pytest.mark.parametrize(
    ("texts", "questions"),
    [
        (
            (
                "韦尔马港口由伊内斯建造，运输木材。",
                "奥克斯利港口由塔姆建造，运输食盐。",
                "布兰诺港口由艾达建造，运输铁。",
            ),
            ("韦尔马港口是谁建造的？", "奥克斯利港口运输什么？", "布兰诺港口是谁建造的？"),
        ),
        (
            ("वेलमार का बंदरगाह इनेस ने बनाया।", "वेलमोर का बंदरगाह ताम ने बनाया।", "विलमार का बंदरगाह अदा ने बनाया।"),
            ("वेलमार का बंदरगाह किसने बनाया?", "वेलमोर का बंदरगाह किसने बनाया?", "विलमार का बंदरगाह किसने बनाया?"),
        ),
        (
            ("ท่าเรือเวลมาร์สร้างโดยอิเนส", "ท่าเรืออ็อกซ์ลีย์สร้างโดยทาม", "ท่าเรือบรันโนสร้างโดยเอดา"),
            ("ใครสร้างท่าเรือเวลมาร์", "ใครสร้างท่าเรืออ็อกซ์ลีย์", "ใครสร้างท่าเรือบรันโน"),
        ),
        (("Le café Dupré", "Le café Élan", "Le café Hôtel"), ("Dupre\u0301 ?", "«E\u0301lan»", "HO\u0302TEL")),
    ],
    ids=["zh", "hi", "th", "nfd"],
)
def test_bm25_finds_texts_of_other_scripts(texts: tuple[str, ...], questions: tuple[str, ...]) -> None:
    method = registry.load("methods", "bm25")()
    memory = method.write(None, texts)
    assert [found[0] for found in method.search(memory, questions)] == [0, 1, 2]
