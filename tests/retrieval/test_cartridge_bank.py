"""A bank of cartridges: each is what `cartridge` makes of its context alone, and the right one answers as alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from membench.errors import MembenchError
from membench.io import memory_codec as memories
from membench.model.llm import LLM
from membench.playing.drift import Prompt, follow
from membench.playing.live_bytes import bytes_per_token, live_bytes
from membench.plugins import registry
from membench.targets.scribe import Scribe
from membench.values import Pair, Recall

TEXTS = (
    "The harbour of Vellmar was built by Ines Corde in 1931. It holds forty ships.",
    "The Oxley Trade Survey is sponsored by the Brannow Bank. It appears every March.",
    "The museum of Tarn shows glass.",
)
BOOK = {text: (Pair("What is it?", f"number {k}"),) for k, text in enumerate(TEXTS)}
QUESTIONS = ("Who built the harbour of Vellmar?", "When does the Oxley Trade Survey appear?", "How many ships?")
CANDIDATES = [["Ines Corde", "every March", "forty"]] * 3


def made(llm: LLM, name: str, **settings: Any) -> Any:
    return registry.load("methods", name)(llm=llm, scribe=Scribe(BOOK, None), **settings)


def bank_of(llm: LLM, **settings: Any) -> Any:
    return made(llm, "cartridge-bank", of="cartridge epochs=1 tokens=8", **settings)


@pytest.fixture(scope="module")
def bank(llm: LLM) -> Any:
    """Three contexts in a bank."""
    return bank_of(llm).write(None, TEXTS)


def test_the_right_cartridge_answers_as_alone(llm: LLM, bank: Any) -> None:
    alone = made(llm, "cartridge", epochs=1, tokens=8)
    found = llm.answer(bank_of(llm).recall(bank, QUESTIONS), QUESTIONS, CANDIDATES)
    for places, text in (([0, 2], 0), ([1], 1)):
        memory = alone.write(None, [TEXTS[text]])
        assert memories.equal((bank[text].cartridge,), memory)
        asked = [QUESTIONS[i] for i in places]
        expected = llm.answer(alone.recall(memory, asked), asked, CANDIDATES[: len(places)])
        assert [(found[i].text, found[i].ids, found[i].logprobs) for i in places] == [
            (one.text, one.ids, one.logprobs) for one in expected
        ]
    everything = llm.answer(alone.recall(tuple(one.cartridge for one in bank), QUESTIONS), QUESTIONS, CANDIDATES)
    assert everything[0].logprobs != found[0].logprobs


def test_all_of_them_are_what_cartridge_recalls(llm: LLM, bank: Any) -> None:
    recall = bank_of(llm, k=3).recall(bank, QUESTIONS)
    whole = made(llm, "cartridge").recall(tuple(one.cartridge for one in bank), QUESTIONS)
    assert len({id(prefix) for prefix in recall.prefixes}) == 1
    assert memories.equal(recall.prefixes[0], whole.prefix)


def test_forgetting_is_exact(llm: LLM, bank: Any) -> None:
    method = bank_of(llm)
    assert memories.equal(method.forget(bank, TEXTS[1:2]), (bank[0], bank[2]))
    assert method.forget(bank, TEXTS) is None
    assert method.recall(None, QUESTIONS) == Recall()


def test_each_question_has_its_own_prefix_in_drift_and_in_live_bytes(llm: LLM, bank: Any) -> None:
    one, other = (entry.cartridge.prefix for entry in (bank[0], bank[2]))
    other = replace(other, keys=tuple(k[:, :3] for k in other.keys), values=tuple(v[:, :3] for v in other.values))
    prompts = [Prompt(q, tuple(llm.ids(q)), (tuple(llm.ids(" It is.")),)) for q in QUESTIONS]
    together = follow(llm, Recall(prefixes=(one, other, None)), prompts)
    for states, prompt, prefix in zip(together, prompts, (one, other, None), strict=True):
        (alone,) = follow(llm, Recall(prefix=prefix), [prompt])
        assert torch.allclose(states[0], alone[0], atol=1e-5)
    assert live_bytes(llm, Recall(prefixes=(other, None, one)), QUESTIONS) == one.tokens * bytes_per_token(llm)
    texts = Recall(contexts=((), TEXTS[:1], ()), prefixes=(one, None, None))
    bare = live_bytes(llm, replace(texts, prefixes=None), QUESTIONS)
    assert live_bytes(llm, texts, QUESTIONS) == max(bare or 0, one.tokens * bytes_per_token(llm))


@pytest.mark.parametrize(
    ("recall", "message"),
    [
        ({"prefixes": 2}, "a recall brings 2 prefixes for 3 questions"),
        ({"prefixes": 3, "prefix": 1}, "a recall brings one prefix for all questions, or `prefixes`"),
    ],
)
def test_a_wrong_number_of_prefixes_is_one_line(llm: LLM, bank: Any, recall: Any, message: str) -> None:
    prefix = bank[0].cartridge.prefix
    given = {"prefixes": (prefix,) * recall["prefixes"]} | ({"prefix": prefix} if "prefix" in recall else {})
    with pytest.raises(MembenchError) as error:
        llm.answer(Recall(**given), QUESTIONS)
    assert str(error.value).startswith(message)


def test_no_other_method_makes_cartridges(llm: LLM) -> None:
    with pytest.raises(MembenchError, match="cartridge-bank is made of cartridges: of=bm25 makes none"):
        made(llm, "cartridge-bank", of="bm25")
