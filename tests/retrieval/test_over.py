"""Retrievers over another one: alone with it they are it, byte for byte, and what they add is what they say."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from membench.api import settings_of
from membench.errors import MembenchError
from membench.io import memory_codec as memories
from membench.model.llm import LLM
from membench.model.question_likelihood import question_logprobs
from membench.plugins import registry
from membench.plugins.tiny_model import tiny_encoder
from membench.retrieval.encoders import titled
from membench.text.sentences import sentences

HARBOUR = "Vellmar\nThe harbour was built by Ines Corde in 1931. It lies in the north. It holds ships, and a crane."
SURVEY = "The Oxley Trade Survey is sponsored by the Brannow Bank. It appears every March.\nIts editor is Tam Reed."
TEXTS = (HARBOUR, SURVEY, "The museum of Tarn shows glass from the south.", "The Brannow Bank owns a tower in Tarn.")
QUESTIONS = ("Who built the harbour of Vellmar?", "Which bank sponsors the Oxley Trade Survey?", "What does Tarn show?")


@pytest.fixture(scope="module")
def below(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Retrievers as the setting `of` names them."""
    encoder = tiny_encoder(tmp_path_factory.mktemp("encoder") / "tiny")
    return {"bm25": "bm25 b=0.4", "dpr": f"dpr encoder={encoder}"}


def made(name: str, llm: LLM, **settings: Any) -> Any:
    return registry.load("methods", name)(llm=llm, **settings)


def alone(of: str, llm: LLM, **settings: Any) -> Any:
    name, given = of.split()
    key, value = given.split("=")
    return made(name, llm, **{key: value if key == "encoder" else float(value)}, **settings)


@pytest.mark.parametrize("name", ["bm25", "dpr"])
def test_one_candidate_is_the_retriever(name: str, llm: LLM, below: dict[str, str]) -> None:
    rerank, retriever = made("rerank", llm, of=below[name], candidates=1), alone(below[name], llm)
    memory = rerank.write(rerank.write(None, TEXTS[:1]), TEXTS[1:])
    assert memories.equal(memory, retriever.write(None, TEXTS))
    assert rerank.recall(memory, QUESTIONS).contexts == retriever.recall(memory, QUESTIONS).contexts
    assert rerank.recall(None, QUESTIONS).contexts is None


@pytest.mark.parametrize("name", ["bm25", "dpr"])
def test_whole_contexts_need_no_line(name: str, llm: LLM, below: dict[str, str]) -> None:
    contextual = made("contextual", llm, of=below[name], chunk_tokens=0, k=3)
    retriever = alone(below[name], llm, k=3)
    memory = contextual.write(contextual.write(None, TEXTS[:1]), TEXTS[1:])
    assert memories.equal(memory, retriever.write(None, TEXTS))
    assert contextual.recall(memory, QUESTIONS).contexts == retriever.recall(memory, QUESTIONS).contexts


def by_hand(llm: LLM, text: str, question: str) -> float:
    *before, asked = llm.segment_ids([text], question)
    ids = [token for segment in before for token in segment] + asked
    with torch.no_grad():
        logp = llm.model(torch.tensor([ids])).logits[0].log_softmax(-1)
    start = len(ids) - len(asked)
    return float(sum(logp[start + k - 1, token].item() for k, token in enumerate(asked)) / len(asked))


@pytest.mark.parametrize("style", ["plain", "twice"])
def test_candidates_stand_in_the_order_of_the_likelihood(style: str, tiny: Path, llm: LLM) -> None:
    reader = llm if style == "plain" else LLM.load(tiny, name="tiny", dtype="float32", style=style)
    found = question_logprobs(reader, QUESTIONS, [TEXTS, TEXTS[1:], TEXTS[:2]])
    for question, texts, scores in zip(QUESTIONS, [TEXTS, TEXTS[1:], TEXTS[:2]], found, strict=True):
        assert scores == pytest.approx([by_hand(reader, text, question) for text in texts], abs=1e-4)
    rerank = made("rerank", reader, k=4)
    memory = rerank.write(None, TEXTS)
    for question, shown in zip(QUESTIONS, rerank.recall(memory, QUESTIONS).contexts, strict=True):
        assert list(shown) == sorted(TEXTS, key=lambda text, q=question: -by_hand(reader, text, q))  # type: ignore[misc]
    best_of_two = made("rerank", reader, k=4, candidates=2)
    bm25 = made("bm25", reader, k=2)
    both = zip(best_of_two.recall(memory, QUESTIONS).contexts, bm25.recall(memory, QUESTIONS).contexts, strict=True)
    assert all(sorted(one) == sorted(other) for one, other in both)


def test_what_is_longer_than_the_window_comes_last(llm: LLM) -> None:
    long = "ships and glass " * llm.window
    ((short, endless),) = question_logprobs(llm, ["What?"], [("ships and glass", long)])
    assert math.isfinite(short)
    assert endless == -math.inf


def test_reading_the_candidates_is_charged_to_the_question(llm: LLM) -> None:
    rerank = made("rerank", llm)
    memory = rerank.write(None, TEXTS)
    llm.meter.lap()
    rerank.recall(memory, QUESTIONS[:1])
    read = llm.meter.lap()[1]["reader"]["read"]
    assert read > sum(len(llm.ids(text)) for text in TEXTS)


def test_a_passage_carries_the_line_of_its_document(llm: LLM) -> None:
    contextual = made("contextual", llm, chunk_tokens=30, k=1)
    plain = made("bm25", llm, chunk_tokens=30)
    cut, with_line = plain.passages(TEXTS), contextual.passages(TEXTS)
    assert len(cut) == len(with_line) > len(TEXTS)
    for passage, carrying in zip(cut, with_line, strict=True):
        if any(text.startswith(passage) for text in TEXTS):
            assert carrying == passage
            continue
        line, _, rest = carrying.partition("\n")
        assert rest == passage
        harbour = f"Vellmar. {sentences(titled(HARBOUR)[1])[0]}"
        assert line == harbour if passage in HARBOUR else any(t.startswith(line) for t in TEXTS)
        assert 0 < len(llm.ids(line)) <= 40
    memory = contextual.write(None, TEXTS)
    assert memory == TEXTS
    asked = ["Which ships are in Vellmar?"]
    (found,), (without,) = contextual.recall(memory, asked).contexts, plain.recall(memory, ["In Vellmar?"]).contexts
    assert found[0].startswith("Vellmar. ")
    assert "ships" in found[0]
    assert "ships" not in without[0]


@pytest.mark.parametrize("length", [5, 12, 20, 60])
def test_a_line_has_the_title_and_as_much_of_the_first_sentence_as_there_is_room_for(llm: LLM, length: int) -> None:
    first = " ".join(f"Word{k}" for k in range(length)) + "."
    text = f"The harbour of Vellmar\n{first} {' '.join(f'And {k} ships.' for k in range(40))}"
    *_, last = made("contextual", llm, chunk_tokens=30).passages([text])
    line = last.partition("\n")[0]
    whole = f"The harbour of Vellmar. {first}"
    assert whole.startswith(line)
    assert line.startswith("The harbour of Vellmar. Word0")
    assert len(llm.ids(line)) <= 40
    assert line == whole or len(llm.ids(whole)) > 40


@pytest.mark.parametrize("name", ["rerank", "contextual"])
def test_forgetting_is_exact(name: str, llm: LLM, below: dict[str, str]) -> None:
    for of in below.values():
        method = made(name, llm, of=of, chunk_tokens=30)
        assert method.forgets
        every = method.write(method.write(None, TEXTS[:1]), TEXTS[1:])
        for gone in TEXTS:
            kept = [text for text in TEXTS if text != gone]
            assert memories.equal(method.forget(every, [gone]), method.write(None, kept))
        assert method.forget(every, TEXTS) is None


def test_a_recipe_names_what_is_below(llm: LLM, below: dict[str, str]) -> None:
    found = [made("rerank", llm, of=of).sources()["of"] for of in ("bm25", *below.values())]
    assert found[0] == {"version": 1, "settings": settings_of(made("bm25", llm, k=10))}
    assert found[1]["settings"]["b"] == 0.4
    assert found[2]["sources"]["encoder"]
    assert [type(p).__name__ for p in made("rerank", llm, of="contextual").parts] == ["Rerank", "Contextual", "BM25"]


@pytest.mark.parametrize(
    ("of", "message"),
    [
        ("base", "rerank stands over a method that searches texts: of=base is none"),
        ("bm25+dpr", "rerank stands over a method that searches texts: of=bm25+dpr is none"),
        ("full-context", "rerank stands over a method that searches texts: of=full-context is none"),
        ("bm26", "unknown method 'bm26': did you mean 'bm25'?"),
        ("", "unknown method ''"),
        ("bm25 kk=1", "unknown setting 'kk' of method bm25"),
        ("bm25 k1=-1", "setting k1 of bm25 wants 0 or more, got '-1'"),
    ],
)
def test_a_wrong_retriever_is_one_line(of: str, message: str) -> None:
    for name in ("rerank", "contextual"):
        with pytest.raises(MembenchError) as error:
            registry.load("methods", name)(of=of)
        assert str(error.value).startswith(message.replace("rerank", name))
        assert "\n" not in str(error.value)
