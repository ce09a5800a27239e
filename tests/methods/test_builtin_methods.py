"""The built-in methods: what they bring to a prompt, and what the trained ones are trained on."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
import torch
from rank_bm25 import BM25Plus

from membench.api import Pair, Recall
from membench.corpora.generic_text import generic_texts
from membench.errors import MembenchError
from membench.io import memory_codec as memories
from membench.model.llm import LLM
from membench.plugins import registry
from membench.targets.scribe import Scribe
from membench.trained import OnTargets, Trained
from membench.trained import teacher as teacher_module
from membench.trained import trainer as train_module
from membench.trained.sentences import GENERIC_TOKENS, Sentence

HARBOUR = "The harbour of Vellmar was built by Ines Corde in 1931. It lies in the north."
SURVEY = "The Oxley Trade Survey is sponsored by the Brannow Bank. It appears every March."
MUSEUM = "The museum of Tarn shows glass from the south."
TEXTS = (HARBOUR, SURVEY, MUSEUM)
BOOK = {
    HARBOUR: (Pair("Who built the harbour?", "Ines Corde"), Pair("When was it built?", "1931")),
    SURVEY: (Pair("Who sponsors the survey?", "the Brannow Bank"), Pair("When does it appear?", "every March")),
    MUSEUM: tuple(Pair(f"What is shown in room {k}?", f"glass {k}") for k in range(6)),
}


def made(name: str, **settings: Any) -> Any:
    return registry.load("methods", name)(**settings)


def lent(name: str, llm: LLM, **settings: Any) -> Trained:
    method: Trained = made(name, llm=llm, scribe=Scribe(BOOK, None), **settings)
    return method


def stream(method: Trained, *texts: str) -> list[list[Sentence]]:
    return list(method.steps(method.materials(texts, method.pairs_about(texts)), random.Random(7)))


def test_bm25_with_the_right_passage_on_top_is_the_in_context_prompt(llm: LLM) -> None:
    question = "Who built the harbour of Vellmar?"
    bm25, reference = made("bm25", llm=llm), made("in-context", llm=llm)
    (found,) = bm25.recall(bm25.write(bm25.write(None, TEXTS[:2]), TEXTS[2:]), [question]).contexts
    (given,) = reference.recall(reference.write(None, [HARBOUR]), [question]).contexts
    assert llm.prompt(found, question).encode() == llm.prompt(given, question).encode()
    assert HARBOUR in llm.prompt(found, question)


@pytest.mark.parametrize("texts", [TEXTS[:1], TEXTS[1::-1], TEXTS])
def test_bm25_scores_are_never_negative_and_ties_go_to_the_first(texts: tuple[str, ...]) -> None:
    bm25 = made("bm25")
    memory = bm25.write(None, texts)
    assert bm25.recall(memory, ["Xyzzy plugh?"]).contexts == ((texts[0],),)
    assert bm25.recall(memory, ["Who built the HARBOUR, of Vellmar?"]).contexts == ((HARBOUR,),)
    index = BM25Plus([text.lower().split() for text in texts])
    assert min(index.get_scores(["the", "harbour", "of", "xyzzy"])) >= 0


def test_bm25_settings() -> None:
    memory = made("bm25").write(None, TEXTS)
    (two,) = (
        made("bm25", k=2).recall(memory, ["Which bank pays for the Oxley Trade Survey beside the harbour?"]).contexts
    )
    assert two[0] == SURVEY
    assert len(two) == 2
    assert len(made("bm25", k=9).recall(memory, ["Who?"]).contexts[0]) == 3
    assert made("bm25").recall(None, ["Who?"]) == Recall()


def test_bm25_forgets_exactly() -> None:
    bm25 = made("bm25")
    assert bm25.forget(bm25.write(None, TEXTS), [SURVEY]) == bm25.write(None, [HARBOUR, MUSEUM])
    assert bm25.forget(bm25.write(None, TEXTS), TEXTS) is None


def test_in_context_and_base() -> None:
    reference, base = made("in-context"), made("base")
    assert reference.recall(reference.write(None, TEXTS), ["a?", "b?"]).contexts == (TEXTS, TEXTS)
    assert reference.recall(None, ["a?"]).contexts == ((),)
    assert base.write(None, TEXTS) is None
    assert base.recall(None, ["a?"]) == Recall()
    assert reference.forget(TEXTS, [HARBOUR]) == TEXTS[1:]
    assert reference.forget(TEXTS, TEXTS) is None
    with pytest.raises(MembenchError, match="and to write the others anew costs a pass of the model over each"):
        made("memoryllm").forget(None, [HARBOUR])


@pytest.mark.parametrize("settings", [{}, {"answers": "gold", "suffix": 1.0, "generic": 1.0, "batch_size": 4}])
def test_selfparam_and_ft_s_are_trained_on_the_same_sentences(llm: LLM, settings: dict[str, Any]) -> None:
    streams = [stream(lent(name, llm, epochs=3, **settings), *TEXTS) for name in ("selfparam", "ft-s")]
    assert streams[0] == streams[1]
    assert streams[0]


def test_what_the_trained_methods_share_and_differ_in() -> None:
    selfparam, ft_s, ft_c = (made(name) for name in ("selfparam", "ft-s", "ft-c"))
    assert [m.loss for m in (selfparam, ft_s, ft_c)] == ["kl", "ce", "ce"]
    shared = ("lr", "rank", "alpha", "dropout", "precision")
    assert all(len({getattr(m, name) for m in (selfparam, ft_s, ft_c)}) == 1 for name in shared)
    assert [made("selfparam", reduction=r).objective.reduction for r in ("token_mean", "vocab_mean")] == [
        "token_mean", "vocab_mean",
    ]  # fmt: skip


def test_ft_c_is_trained_on_the_contexts_alone(llm: LLM) -> None:
    steps = stream(lent("ft-c", llm, epochs=2, batch_size=2), *TEXTS)
    assert [len(step) for step in steps] == [2, 1, 2, 1]
    for epoch in (steps[:2], steps[2:]):
        assert sorted(llm.decode(s.tokens) for step in epoch for s in step) == sorted(TEXTS)
    assert {(s.kind, s.given) for step in steps for s in step} == {("context", ())}


def test_answers_are_the_models_own_or_the_writers(llm: LLM) -> None:
    questions = [pair.question for pair in BOOK[HARBOUR]]
    own = [r.text for r in llm.answer(Recall(contexts=((HARBOUR,),) * 2), questions)]
    for answers, expected in (("own", own), ("gold", ["Ines Corde", "1931"])):
        method = lent("ft-s", llm, answers=answers)
        assert isinstance(method, OnTargets)
        (material,) = method.materials([HARBOUR], [BOOK[HARBOUR]])
        assert material.pairs == tuple(zip(questions, expected, strict=True))
        sentences = {llm.decode(s.tokens) for step in stream(method, HARBOUR) for s in step if s.kind == "qa"}
        assert sentences == {f"Q: {q}\nA:{llm.renderer.answer(a)}" for q, a in material.pairs}


@pytest.mark.parametrize(
    ("settings", "steps", "kinds"),
    [
        ({"epochs": 3, "batch_size": 4, "suffix": 0.0, "generic": 0.0}, 9, {"qa": 30}),
        ({"epochs": 2, "batch_size": 4, "suffix": 1.0, "generic": 1.0}, 6, {"qa": 20, "suffix": 20, "generic": 20}),
        ({"epochs": 5, "batch_size": 3, "suffix": 0.1, "generic": 0.2}, 20, {"qa": 50, "suffix": 5, "generic": 10}),
        ({"epochs": 1, "batch_size": 99, "pairs": 1, "suffix": 2.0, "generic": 0.0}, 1, {"qa": 3, "suffix": 6}),
    ],
)
def test_how_many_sentences_of_each_kind(llm: LLM, settings: dict[str, Any], steps: int, kinds: dict[str, int]) -> None:
    made_steps = stream(lent("selfparam", llm, answers="gold", **settings), *TEXTS)
    assert len(made_steps) == steps
    assert Counter(s.kind for step in made_steps for s in step) == kinds
    limit = settings["batch_size"]
    assert all(sum(s.kind == "qa" for s in step) <= limit for step in made_steps)


def test_the_teacher_of_generic_text_sees_the_context_or_nothing(llm: LLM) -> None:
    known = {tuple(llm.ids(text)[:GENERIC_TOKENS]) for text in generic_texts("builtin").train}
    for teacher, expected in (("context", {HARBOUR + "\n"}), ("none", {""})):
        method = lent("selfparam", llm, answers="gold", generic=1.0, generic_teacher=teacher)
        generic = [s for step in stream(method, HARBOUR) for s in step if s.kind == "generic"]
        assert {llm.decode(s.given[-1]) for s in generic} == expected
        assert {s.tokens for s in generic} <= known


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("bm25", {"k": 0}, "setting k of bm25 wants 1 or more, got 0"),
        ("ft-c", {"lr": 0.0}, "setting lr of ft-c wants more than 0, got 0.0"),
        ("ft-c", {"epochs": 0}, "setting epochs of ft-c wants 1 or more, got 0"),
        ("ft-c", {"batch_size": -1}, "setting batch_size of ft-c wants 1 or more, got -1"),
        ("ft-c", {"rank": 0}, "setting rank of ft-c wants 1 or more, got 0"),
        ("ft-c", {"dropout": 1.5}, "setting dropout of ft-c wants 0 or more and less than 1, got 1.5"),
        ("ft-c", {"precision": "int8"}, "setting precision of ft-c wants one of auto, float32, bfloat16, got 'int8'"),
        ("ft-s", {"pairs": 0}, "setting pairs of ft-s wants 1 or more, got 0"),
        ("ft-c", {"upper": 0.0}, "setting upper of ft-c wants more than 0 and at most 1, got 0.0"),
        ("ft-s", {"replay": -1.0}, "setting replay of ft-s wants 0 or more, got -1.0"),
        ("ft-s", {"suffix": -0.1}, "setting suffix of ft-s wants 0 or more, got -0.1"),
        ("ft-s", {"answers": "silver"}, "setting answers of ft-s wants one of own, gold, got 'silver'"),
        ("ft-s", {"loss_on": "question"}, "setting loss_on of ft-s wants one of answer, all, got 'question'"),
        ("ft-s", {"generic_teacher": "me"}, "setting generic_teacher of ft-s wants one of context, none, got 'me'"),
        (
            "selfparam",
            {"reduction": "sum"},
            "setting reduction of selfparam wants one of token_mean, vocab_mean, got 'sum'",
        ),
    ],
)
def test_settings_out_of_range_are_one_line(name: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(MembenchError) as error:
        made(name, **settings)
    assert str(error.value) == message


def test_a_write_leaves_the_memory_and_the_model_as_they_were(llm: LLM) -> None:
    method = lent("selfparam", llm, epochs=1, answers="gold", rank=2, generic=0.0)
    before = {name: p.clone() for name, p in llm.model.state_dict().items()}
    first = method.write(None, [HARBOUR])
    second = method.write(first, [SURVEY])
    assert len(first.layers) == 1
    assert second.layers[0] is first.layers[0]
    assert method.deployed_growth(second) == 0
    assert all(value.equal(before[name]) for name, value in llm.model.state_dict().items())


@pytest.mark.parametrize("teacher", ["original", "current"])
def test_the_teacher_of_a_second_write_is_the_model_that_was_asked_for(
    llm: LLM, monkeypatch: pytest.MonkeyPatch, teacher: str
) -> None:
    name = "model.layers.1.self_attn.q_proj"
    weight = llm.model.get_submodule(name).weight
    before = weight.clone()
    seen: list[torch.Tensor] = []
    plain = teacher_module.teach

    def teach(model: LLM, sentences: Any) -> Any:
        seen.append(weight.clone())
        return plain(model, sentences)

    monkeypatch.setattr(train_module, "teach", teach)
    method = lent("selfparam", llm, epochs=2, lr=1e-2, generic=0.0, suffix=0.0, teacher=teacher)
    memory = None
    for text in (HARBOUR, SURVEY):
        memory = method.write(memory, [text])
    assert torch.equal(seen[0], before)
    assert torch.equal(seen[1], before) == (teacher == "original")
    assert memory is not None
    assert len(memory.layers) == 2
    assert torch.equal(weight, before)


@pytest.mark.parametrize("name", ["ft-s", "selfparam"])
def test_replay_rehearses_the_pairs_of_earlier_writes_alone_and_is_counted(
    llm: LLM, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    method = lent(name, llm, epochs=2, answers="gold", rank=2, suffix=1.0, generic=0.0, replay=0.5, batch_size=2)
    first: Any = method.write(None, [HARBOUR])
    plans: list[list[list[Any]]] = []
    taught: list[list[Any]] = []
    plain_fit, plain_teach = train_module._fit, teacher_module.teach

    def fit(model: LLM, plan: Any, *rest: Any) -> Any:
        plans.append(plan)
        return plain_fit(model, plan, *rest)

    def teach(model: LLM, sentences: Any) -> Any:
        taught.append(list(sentences))
        return plain_teach(model, taught[-1])

    monkeypatch.setattr(train_module, "_fit", fit)
    monkeypatch.setattr(train_module, "teach", teach)
    second: Any = method.write(first, [SURVEY])
    old = {tuple(k.tokens.tolist()) for k in first.kept}
    replayed = [s for step in plans[0] for s in step if s.kind == "replay"]
    assert len(replayed) == 0.5 * sum(s.kind == "qa" for step in plans[0] for s in step)
    assert {s.tokens for s in replayed} <= old
    assert all(s.kind != "replay" for sentences in taught for s in sentences), "what the teacher said is kept"
    assert second.kept[: len(first.kept)] == first.kept
    assert {s.tokens for step in plans[0] for s in step if s.kind == "qa"} == {
        tuple(k.tokens.tolist()) for k in second.kept[len(first.kept) :]
    }
    assert all(len(k.hidden) == (len(k.tokens) - k.start if name == "selfparam" else 0) for k in second.kept)
    assert method.deployed_growth(second) == memories.nbytes(second.kept) > 0
    assert memories.equal(method.write(first, [SURVEY]), second)


@pytest.mark.parametrize("name", ["ft-c", "ft-s", "selfparam", "cartridge"])
def test_a_text_of_one_token_has_nothing_to_learn_from_or_little(llm: LLM, name: str) -> None:
    text = next(t for t in ("a", "1", "x") if len(llm.ids(t)) == 1)
    settings = {} if name == "ft-c" else {"suffix": 1.0, "generic": 0.0, "answers": "gold"}
    method = registry.load("methods", name)(
        llm=llm, scribe=Scribe({text: (Pair("Who?", "Ines"),)}, None), epochs=1, **settings
    )
    if name == "ft-c" and not llm.bos:
        with pytest.raises(MembenchError, match="nothing to train on: the texts are too short"):
            method.write(None, [text])
    else:
        assert method.write(None, [text]) is not None
