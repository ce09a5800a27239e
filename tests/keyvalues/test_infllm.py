"""InfLLM's memory against plain transformers and against its own definition, written out token by token."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, MistralConfig, Qwen2Config, Qwen3Config

from membench.api import Recall
from membench.errors import MembenchError
from membench.io import memory_codec as memories
from membench.keyvalues.block_attention import select, unit_vectors
from membench.keyvalues.infllm import Stream, refuse
from membench.model.likelihood import Reference
from membench.model.llm import LLM
from membench.plugins import registry
from membench.reading.prefix_cache import PrefixCache
from tests.support.infllm_by_hand import (
    IDS,
    RULE,
    close,
    found_and_read,
    naive,
    received_as_defined,
    streamed,
    window_and_sink,
)

TEXTS = (
    "The harbour was built by Ines Corde in 1931. It holds forty ships, and none of them has ever left the north.",
    "The Oxley Trade Survey is sponsored by the Brannow Bank. It appears every March, and nobody reads it twice.",
    "The museum of Tarn shows glass from the south.",
)
QUESTIONS = ("Who built the harbour?", "Which bank pays for the Oxley Trade Survey, and since when?")


def made(llm: LLM, **settings: Any) -> Any:
    return registry.load("methods", "infllm")(llm=llm, **settings)


# ---------------------------------------------------------------- the attention


@pytest.mark.parametrize("chunk", [5, 7, 100])
def test_inside_the_window_it_is_full_attention_whatever_the_chunk(llm: LLM, chunk: int) -> None:
    hidden, tree = streamed(llm.model, replace(RULE, local=len(IDS), chunk=chunk))
    with torch.no_grad():
        close(hidden, llm.model.get_decoder()(torch.tensor([IDS])).last_hidden_state[0])
    assert tree.vectors.shape[1] == 0


@pytest.mark.parametrize("config", [MistralConfig, Qwen2Config, Qwen3Config])
def test_other_models_of_the_same_style(config: Any) -> None:
    sizes = {"vocab_size": 320, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "sliding_window": None}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        shape = config(**sizes, **heads, initializer_range=0.2)
        model = AutoModelForCausalLM.from_config(shape).eval()  # type: ignore[no-untyped-call]
    hidden, _ = streamed(model, replace(RULE, local=len(IDS)))
    with torch.no_grad():
        close(hidden, model.get_decoder()(torch.tensor([IDS])).last_hidden_state[0])


@pytest.mark.parametrize("chunk", [4, 8, 30])
def test_without_units_it_is_sink_and_window(llm: LLM, chunk: int) -> None:
    rule = replace(RULE, top_k=0, chunk=chunk, initial=9)
    hidden, tree = streamed(llm.model, rule)
    assert tree.vectors.shape[1] == rule.units(len(IDS)) > 5
    visible = window_and_sink(rule, len(IDS))
    assert not visible[-1].all()
    close(hidden, naive(llm.model, visible, rule.local))


def test_with_all_units_every_past_token_is_reached(llm: LLM) -> None:
    """The definition with everything visible and distances cut at the window: each token sees all p + 1 tokens."""
    hidden, _ = streamed(llm.model, replace(RULE, top_k=1000))
    visible = torch.ones(len(IDS), len(IDS), dtype=torch.bool).tril()
    assert visible.sum(1).tolist() == list(range(1, len(IDS) + 1))
    close(hidden, naive(llm.model, visible, RULE.local))
    limited, _ = streamed(llm.model, RULE)
    assert not torch.allclose(limited, hidden, atol=1e-2)


def test_a_planted_unit_is_looked_up() -> None:
    rng = torch.Generator().manual_seed(0)
    keys = torch.randn(2, 40, 16, generator=rng) * 0.1
    needle = torch.randn(2, 16, generator=rng) * 3
    keys[:, 22] = needle  # in unit 5
    received = torch.rand(4, 40, generator=rng)
    received[:, 22] = 9
    vectors = unit_vectors(keys, received, RULE)
    assert vectors.shape == (10, 4, 16)
    queries = torch.randn(4, 6, 16, generator=rng) * 0.1
    queries[:, 4] = needle.repeat_interleave(2, 0)
    chosen = select(queries, vectors, torch.tensor([0, 0, 0, 1, 1, 2]), 2)
    assert chosen.sum(1).tolist() == [2] * 6
    assert chosen[3:5, 5].all()
    assert torch.equal(chosen[0], chosen[2])
    assert torch.equal(chosen[3], chosen[4])


@pytest.mark.parametrize("unit", [0, 7, 16])
def test_a_needle_in_the_stream_is_looked_up_and_read(llm: LLM, unit: int) -> None:
    found_and_read(llm.model, unit, close)


def test_representatives_are_the_tokens_that_received_most() -> None:
    keys = torch.arange(8.0).reshape(1, 8, 1)
    received = torch.tensor([[3.0, 1, 2, 0, 0, 5, 4, 1]])
    assert unit_vectors(keys, received, RULE).flatten().tolist() == [1.0, 5.5]


@pytest.mark.parametrize("score", ["attention", "product"])
def test_what_a_token_received_is_summed_over_its_window(llm: LLM, score: str) -> None:
    received_as_defined(llm.model, score, close)


# ---------------------------------------------------------------- the memory


def test_inside_the_window_answers_and_likelihoods_are_those_of_in_context(llm: LLM) -> None:
    method = made(llm, local=4000)
    memory = method.write(None, TEXTS)
    candidates = [("Ines Corde", "Forty"), ("the Brannow Bank",)]
    reference = llm.answer(Recall(contexts=(TEXTS,) * 2), QUESTIONS, candidates)
    targets = [Reference(r.ids, r.hidden) for r in reference]
    recall = method.recall(memory, QUESTIONS)
    assert recall.notes["regime"] < 1
    for mine, theirs in zip(llm.answer(recall, QUESTIONS, candidates, targets), reference, strict=True):
        assert mine.ids == theirs.ids
        assert mine.logprobs == pytest.approx(theirs.logprobs, abs=1e-4)
        assert mine.divergence == pytest.approx(0, abs=1e-5)
    assert llm.answer(method.recall(None, QUESTIONS), QUESTIONS)[0].ids == llm.answer(Recall(), QUESTIONS)[0].ids


def test_a_reading_beyond_the_window_agrees_with_itself_and_leaves_the_memory(llm: LLM) -> None:
    """Questions together or alone; an answer read as a whole or decoded; before and after other readings."""
    method = made(llm, local=24, unit=4, top_k=3, chunk=16)
    memory = method.write(None, TEXTS)
    before = memories.digest(memory)
    recall = method.recall(memory, QUESTIONS)
    assert recall.notes["regime"] > 10
    together = llm.answer(recall, QUESTIONS)
    own = [Reference(r.ids, r.hidden) for r in together]
    for question, reading in zip(QUESTIONS, together, strict=True):
        (alone,) = llm.answer(method.recall(memory, [question]), [question])
        assert alone.ids == reading.ids
    assert [r.divergence for r in llm.answer(recall, QUESTIONS, None, own)] == pytest.approx([0, 0], abs=1e-5)
    assert memories.digest(memory) == before
    assert llm.model.config._attn_implementation == "sdpa"


def test_a_memory_depends_on_the_texts_and_not_on_how_they_came(llm: LLM) -> None:
    method = made(llm, local=24, unit=4, chunk=16)
    together = method.write(None, TEXTS)
    first = method.write(None, TEXTS[:1])
    apart = method.write(method.write(first, TEXTS[1:2]), TEXTS[2:])
    assert memories.equal(together, apart)
    assert together.vectors.shape[1] > 10


def test_it_forgets_byte_for_byte(llm: LLM) -> None:
    method = made(llm, local=24, unit=4, chunk=16)
    memory = method.write(method.write(None, TEXTS[:2]), TEXTS[2:])
    for gone in range(3):
        never = method.write(None, [text for i, text in enumerate(TEXTS) if i != gone])
        assert memories.equal(method.forget(memory, [TEXTS[gone]]), never)
    assert method.forget(memory, TEXTS) is None


def test_the_state_grows_with_the_stream(llm: LLM) -> None:
    method = made(llm, local=24, unit=4)
    memory: Stream = method.write(None, TEXTS)
    tokens = sum(len(llm.ids(f"{text}\n")) for text in TEXTS)
    layers, kv_heads, width = 2, 2, 16
    assert memory.keys.shape == memory.values.shape == (layers, kv_heads, tokens, width)
    units = (tokens - 24) // 4
    assert memory.vectors.shape == (layers, units, 4, width)
    assert memory.received.shape == (layers, 4, tokens - 4 * units)
    numbers = 2 * memory.keys.numel() + memory.vectors.numel() + memory.received.numel()
    assert memories.nbytes(memory) == 4 * numbers + sum(len(text) for text in TEXTS)


def test_kept_examples_do_not_mix_with_those_of_other_ways_to_attend(llm: LLM) -> None:
    method = made(llm, local=24, unit=4, chunk=16)
    llm.first_segment = PrefixCache()
    memory = method.write(None, TEXTS)
    plain = llm.answer(Recall(contexts=(TEXTS,) * 2), QUESTIONS)
    assert memories.equal(method.write(None, TEXTS), memory)
    llm.first_segment = PrefixCache()
    assert [r.ids for r in llm.answer(Recall(contexts=(TEXTS,) * 2), QUESTIONS)] == [r.ids for r in plain]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"model_type": "gemma3_text"}, "its type 'gemma3_text' is none of llama, mistral, qwen2, qwen3"),
        ({"sliding_window": 64}, "it has sliding windows of its own"),
        ({"layer_types": ["sliding_attention", "full_attention"]}, "it has sliding windows of its own"),
    ],
)
def test_other_models_are_refused_in_one_line(
    llm: LLM, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], reason: str
) -> None:
    refuse(llm)
    for name, value in change.items():
        monkeypatch.setattr(llm.model.config, name, value, raising=False)
    with pytest.raises(MembenchError, match=f"infllm needs a Llama-style model, and tiny is not one: {reason}"):
        made(llm).write(None, TEXTS)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"local": 0}, "setting local of infllm wants 1 or more, got 0"),
        ({"top_k": -1}, "setting top_k of infllm wants 0 or more, got -1"),
        ({"unit": 2}, "setting representatives must be at most unit \\(2\\), got 4"),
        ({"score": "mean"}, "setting score of infllm wants one of attention, product, got 'mean'"),
    ],
)
def test_settings_out_of_range_are_one_line(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(MembenchError, match=message):
        registry.load("methods", "infllm")(**settings)
