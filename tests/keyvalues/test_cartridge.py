"""Cartridges: what they start as, what training does to them, and how they stand together."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path
from typing import Any

import pytest
import torch

from membench.api import Pair, Prefix, Recall
from membench.errors import MembenchError
from membench.io import memory_codec as memories
from membench.keyvalues.cartridge import distil, own_prefix
from membench.model.llm import LLM
from membench.plugins import registry
from membench.reading.key_values import cut, joined
from membench.targets.scribe import Scribe
from membench.trained.sentences import Material, qa_sentences

HARBOUR = "The harbour of Vellmar was built by Ines Corde in 1931."
SURVEY = "The Oxley Survey is sponsored by the Brannow Bank."
BOOK = {
    HARBOUR: (Pair("Who built the harbour?", "Ines Corde"), Pair("When was it built?", "1931")),
    SURVEY: (Pair("Who sponsors the survey?", "the Brannow Bank"),),
}
QUESTIONS = ("Who built the harbour of Vellmar?", "Which bank sponsors the survey?")
CANDIDATES = [("Ines Corde", "Ada Quill"), ("the Brannow Bank",)]


def lent(llm: LLM, **settings: Any) -> Any:
    given = {"answers": "gold", "generic": 0.0, "suffix": 0.0, "precision": "float32", **settings}
    return registry.load("methods", "cartridge")(llm=llm, scribe=Scribe(BOOK, None), **given)


def sentences(llm: LLM) -> list[Any]:
    return qa_sentences(llm, Material(HARBOUR, tuple((p.question, p.answer) for p in BOOK[HARBOUR])), "answer")


def test_without_training_and_with_room_it_is_the_text_in_the_prompt(llm: LLM) -> None:
    method = lent(llm, epochs=0, tokens=500)
    ours = llm.answer(method.recall(method.write(None, [HARBOUR]), QUESTIONS), QUESTIONS, CANDIDATES)
    for a, b in zip(ours, llm.answer(Recall(contexts=((HARBOUR,),) * 2), QUESTIONS, CANDIDATES), strict=True):
        assert a.ids == b.ids
        assert a.logprobs == pytest.approx(b.logprobs, abs=1e-4)
        torch.testing.assert_close(a.hidden, b.hidden, atol=1e-4, rtol=1e-4)


def test_without_training_it_is_the_text_cut_to_its_tokens(llm: LLM) -> None:
    method = lent(llm, epochs=0, tokens=7)
    ours = llm.answer(method.recall(method.write(None, [HARBOUR]), QUESTIONS), QUESTIONS)
    examples, text, question = llm.segment_ids([HARBOUR], QUESTIONS[0])
    with torch.no_grad():
        expected = llm.model(torch.tensor([[*examples, *text[:7], *question]])).logits[0, -1:].float()
    torch.testing.assert_close(llm.logits(ours[0].hidden[:1]), expected, atol=1e-3, rtol=1e-3)


def test_it_starts_as_the_texts_own_first_keys_and_values(llm: LLM) -> None:
    whole, first = own_prefix(llm, HARBOUR, 500), own_prefix(llm, HARBOUR, 7)
    for one, other in zip((*first.keys, *first.values), (*cut(whole, 7).keys, *cut(whole, 7).values), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
    (kept,) = lent(llm, epochs=0, tokens=7).write(None, [HARBOUR])
    assert all(map(torch.equal, kept.prefix.keys, first.keys))


def test_training_lowers_the_divergence_from_the_teacher(llm: LLM) -> None:
    values: list[float] = []
    start = own_prefix(llm, HARBOUR, 6)
    before = {name: p.clone() for name, p in llm.model.named_parameters()}
    trained = distil(llm, [sentences(llm)] * 20, start, 0.2, "float32", lambda _i, value: values.append(value))
    assert values[-1] < 0.5 * values[0]
    assert trained.tokens == 6
    assert all(torch.equal(before[name], p) and p.grad is None for name, p in llm.model.named_parameters())


def test_the_divergence_is_zero_where_the_prefix_is_the_whole_text(llm: LLM) -> None:
    values: list[float] = []
    distil(llm, [sentences(llm)], own_prefix(llm, HARBOUR, 500), 0.05, "float32", lambda _i, v: values.append(v))
    assert values == [pytest.approx(0, abs=1e-5)]


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_over_weights_in_halves_it_is_trained_or_says_that_it_is_not(tiny: Path, dtype: str) -> None:
    halves = LLM.load(tiny, name="tiny", dtype=dtype, device="cpu")
    if dtype == "float16":
        with pytest.raises(MembenchError, match="not trained over float16 weights: take --dtype bfloat16"):
            lent(halves, epochs=1).require_model()
        lent(halves, epochs=0).write(None, [HARBOUR])
    else:
        values: list[float] = []
        plan = [sentences(halves)] * 20
        distil(halves, plan, own_prefix(halves, HARBOUR, 6), 0.2, "float32", lambda _i, v: values.append(v))
        assert values[-1] < 0.5 * values[0]


def test_two_stand_one_behind_the_other(llm: LLM) -> None:
    method = lent(llm, epochs=1)
    memory = method.write(method.write(None, [HARBOUR]), [SURVEY])
    prefix = method.recall(memory, QUESTIONS).prefix
    expected = joined([c.prefix for c in memory])
    assert prefix.tokens == sum(c.prefix.tokens for c in memory)
    assert all(map(torch.equal, prefix.keys, expected.keys))
    alone, both = (llm.answer(Recall(prefix=p), QUESTIONS, CANDIDATES) for p in (memory[0].prefix, prefix))
    assert [r.logprobs for r in alone] != [r.logprobs for r in both]
    assert method.recall(None, QUESTIONS) == Recall()


def test_one_is_forgotten_as_if_it_had_never_been_written(llm: LLM) -> None:
    method = lent(llm, epochs=1)
    memory = method.write(None, [HARBOUR, SURVEY])
    assert memories.equal(method.forget(memory, [HARBOUR]), method.write(None, [SURVEY]))
    assert method.forget(memory, [HARBOUR, SURVEY]) is None
    assert memory[0].text == hashlib.sha256(HARBOUR.encode()).hexdigest()[:16]


def test_same_seed_same_memory(llm: LLM) -> None:
    settings = {"epochs": 2, "batch_size": 1, "suffix": 1.0}
    one = lent(llm, **settings).write(None, [HARBOUR])
    assert memories.equal(one, lent(llm, **settings).write(None, [HARBOUR]))
    assert not memories.equal(one, lent(llm, seed=1, **settings).write(None, [HARBOUR]))


def test_it_is_trained_on_the_sentences_of_selfparam(llm: LLM) -> None:
    settings = {"epochs": 2, "suffix": 1.0, "generic": 1.0, "answers": "gold"}
    selfparam = registry.load("methods", "selfparam")(llm=llm, scribe=Scribe(BOOK, None), **settings)
    stream = lent(llm, **settings)._sentences()
    ours, theirs = (
        list(made.steps(made.materials([HARBOUR], made.pairs_about([HARBOUR])), random.Random(3)))
        for made in (stream, selfparam)
    )
    assert ours == theirs
    shared = ("targets", "answers", "pairs", "suffix", "generic", "generic_text", "generic_teacher", "loss_on")
    ours_default, theirs_default = (registry.load("methods", name)() for name in ("cartridge", "selfparam"))
    assert all(getattr(ours_default, name) == getattr(theirs_default, name) for name in shared)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tokens": 0}, "setting tokens of cartridge wants 1 or more, got 0"),
        ({"epochs": -1}, "setting epochs of cartridge wants 0 or more, got -1"),
        ({"lr": 0.0}, "setting lr of cartridge wants more than 0, got 0.0"),
        ({"precision": "int8"}, "setting precision of cartridge wants one of auto, float32, bfloat16, got 'int8'"),
        ({"answers": "silver"}, "setting answers of cartridge wants one of own, gold, got 'silver'"),
        ({"batch_size": 0}, "setting batch_size of cartridge wants 1 or more, got 0"),
    ],
)
def test_settings_out_of_range_are_one_line(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(MembenchError) as error:
        registry.load("methods", "cartridge")(**settings)
    assert str(error.value) == message


def test_a_prefix_is_plain_data(llm: LLM, tmp_path: Any) -> None:
    memory = lent(llm, epochs=0).write(None, [HARBOUR])
    memories.save(memory, tmp_path)
    loaded = memories.load(tmp_path)
    assert memories.equal(loaded, memory)
    assert isinstance(loaded[0].prefix, Prefix)
