"""What is read once on the real default model: the same answers as plain transformers give on every prompt alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from membench.api import Dataset, Recall
from membench.io import weights
from membench.model.llm import LLM
from membench.plugins import registry

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def worlds() -> Dataset:
    """Three invented entities."""
    data: Dataset = registry.load("data", "worlds")().load("1", 3, 0)
    return data


def generated(llm: LLM, contexts: tuple[str, ...], question: str) -> list[int]:
    """The answer's tokens by transformers' own `generate` on the whole prompt, which stops at the end of the line."""
    ids = torch.tensor([[i for segment in llm.segment_ids(contexts, question) for i in segment]])
    options: dict[str, Any] = {"max_new_tokens": llm.max_new_tokens, "do_sample": False, "pad_token_id": 0}
    options |= {"stop_strings": "\n", "tokenizer": llm.tokenizer}
    out = llm.model.generate(ids, attention_mask=torch.ones_like(ids), **options)[0, ids.shape[1] :].tolist()
    end = llm.tokenizer.eos_token_id
    stops = (k for k in range(len(out)) if out[k] == end or "\n" in llm.decode(out[: k + 1]))
    return out[: next(stops, len(out))]  # type: ignore[no-any-return]


@pytest.mark.parametrize(("style", "count"), [("plain", 1), ("twice", 4)])  # twice is the default model's
def test_answers_with_reuse_are_those_of_every_prompt_alone(worlds: Dataset, style: str, count: int) -> None:
    llm = LLM.load(weights.resolve("smollm2-135m"), name="smollm2-135m", dtype="float32", style=style)
    one, two, three = (". ".join(context.text.split(". ")[:3]) + "." for context in worlds.contexts)
    asked: list[tuple[tuple[str, ...], str]] = [
        ((one,), question.text) for question in worlds.contexts[0].questions[:2]
    ]
    several = [(one, two), (one, two, three), (one, three), (three,)][:count]  # some of which begin alike
    asked += [(texts, question.text) for texts in several for question in worlds.contexts[2].questions[:1]]
    llm.answer(Recall(), ["Who?"])  # the examples are kept from here on
    readings = llm.answer(Recall(contexts=tuple(texts for texts, _ in asked)), [question for _, question in asked])
    for (texts, question), reading in zip(asked, readings, strict=True):
        assert list(reading.ids) == generated(llm, texts, question)


def test_infllm_inside_its_window_is_in_context(smol: LLM, worlds: Dataset) -> None:
    texts = tuple(context.text for context in worlds.contexts)
    asked = [context.questions[0].text for context in worlds.contexts[:2]]
    method = registry.load("methods", "infllm")(llm=smol, local=1024, chunk=100)
    mine = smol.answer(method.recall(method.write(None, texts), asked), asked, [("Ada", "1931")] * 2)
    theirs = smol.answer(Recall(contexts=(texts,) * 2), asked, [("Ada", "1931")] * 2)
    for one, other in zip(mine, theirs, strict=True):
        assert one.ids == other.ids
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-3)
