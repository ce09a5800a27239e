"""One adapter a question: each question is answered as under its own alone, and every adapter is merged once."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch

from membench.errors import MembenchError
from membench.model.llm import LLM
from membench.playing.drift import Prompt, follow
from membench.playing.live_bytes import live_bytes
from membench.values import Adapter, Recall

NAME = "model.layers.0.self_attn.q_proj"
QUESTIONS = ("Who built the harbour?", "When was it built?", "What is Oxley?", "Who is Ada Quill?", "Where is Tarn?")
TEXT = "The harbour of Vellmar was built by Ines Corde in 1931."


def adapter_of(llm: LLM, seed: int, rank: int = 2) -> Adapter:
    generator = torch.Generator().manual_seed(seed)
    rows, columns = llm.model.get_submodule(NAME).weight.shape
    factors = {"A": torch.randn(rank, columns, generator=generator), "B": torch.randn(rows, rank, generator=generator)}
    return Adapter(({NAME: factors},), 0.1)


@pytest.mark.parametrize("contexts", [None, tuple((TEXT,) if i % 2 else () for i in range(5))])
def test_each_question_is_answered_under_its_own(llm: LLM, contexts: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = adapter_of(llm, 1), adapter_of(llm, 2)
    worn = (one, other, None, one, other)
    asked: dict[str, Any] = {"candidates": [["Ines Corde", "1931"]] * 5}
    expected: dict[int, Any] = {}
    for adapter in (one, other, None):
        places = [i for i in range(5) if worn[i] is adapter]
        given = tuple(contexts[i] for i in places) if contexts else None
        alone = llm.answer(
            Recall(contexts=given, adapter=adapter),
            [QUESTIONS[i] for i in places],
            [asked["candidates"][0]] * len(places),
        )
        expected |= dict(zip(places, alone, strict=True))
    merges: Counter[int] = Counter()
    merge = LLM._merge
    monkeypatch.setattr(LLM, "_merge", lambda self, a, names: (merges.update([id(a)]), merge(self, a, names))[1])
    before = {name: value.clone() for name, value in llm.model.state_dict().items()}
    found = llm.answer(Recall(contexts=contexts, adapters=worn), QUESTIONS, **asked)
    for i, reading in enumerate(found):
        assert (reading.text, reading.ids, reading.logprobs) == (
            expected[i].text, expected[i].ids, expected[i].logprobs,
        )  # fmt: skip
    assert merges == {id(one): 1, id(other): 1}
    assert all(torch.equal(value, before[name]) for name, value in llm.model.state_dict().items())
    assert len({reading.logprobs for reading in found}) == 5


def test_one_adapter_for_all_is_the_same_one_a_question(llm: LLM) -> None:
    adapter = adapter_of(llm, 1)
    for_all = llm.answer(Recall(adapter=adapter), QUESTIONS, [["Ines Corde"]] * 5)
    one_each = llm.answer(Recall(adapters=(adapter,) * 5), QUESTIONS, [["Ines Corde"]] * 5)
    assert [(r.text, r.logprobs) for r in for_all] == [(r.text, r.logprobs) for r in one_each]


def test_drift_is_read_under_each_prompts_own(llm: LLM) -> None:
    one, other = adapter_of(llm, 1), adapter_of(llm, 2)
    prompts = [Prompt(q, tuple(llm.ids(q)), (tuple(llm.ids(" It is.")),)) for q in QUESTIONS[:3]]
    together = follow(llm, Recall(adapters=(one, other, one)), prompts)
    for states, prompt, adapter in zip(together, prompts, (one, other, one), strict=True):
        (alone,) = follow(llm, Recall(adapter=adapter), [prompt])
        assert torch.allclose(states[0], alone[0], atol=1e-5)
    assert not torch.allclose(together[0][0], follow(llm, Recall(adapter=other), prompts[:1])[0][0], atol=1e-3)


def test_the_largest_one_counts_as_live(llm: LLM) -> None:
    small, large = adapter_of(llm, 1, rank=1), adapter_of(llm, 2, rank=3)
    alone = live_bytes(llm, Recall(adapter=large), QUESTIONS)
    assert live_bytes(llm, Recall(adapters=(small, large, None, large, small)), QUESTIONS) == alone
    assert alone
    assert live_bytes(llm, Recall(adapters=(None,) * 5), QUESTIONS) == 0


def test_a_recall_that_contradicts_itself_is_refused(llm: LLM) -> None:
    adapter = adapter_of(llm, 1)
    with pytest.raises(MembenchError, match="brings 2 adapters for 5 questions"):
        llm.answer(Recall(adapters=(adapter, None)), QUESTIONS)
    with pytest.raises(MembenchError, match="one adapter for all questions, or `adapters`, one a question; not both"):
        llm.answer(Recall(adapter=adapter, adapters=(adapter,) * 5), QUESTIONS)
