"""Keys and values as a prefix: where they stand, they are the text that they were made of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from transformers import (
    CohereConfig,
    CohereForCausalLM,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Olmo2Config,
    Olmo2ForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from membench.api import Adapter, Prefix, Recall
from membench.errors import MembenchError
from membench.keyvalues.pool import Sink
from membench.model.decoding import Reading
from membench.model.likelihood import Reference
from membench.model.llm import LLM
from membench.reading.key_values import cut, joined, observed, project, require_projectable
from membench.reading.token_tree import Tree

TEXTS = ("The harbour was built by Ines Corde in 1931.", "Forty ships lie in the north.")
QUESTIONS = ("Who built the harbour?", "In what year was it built, and by whom?", "How many ships?")
CANDIDATES = [("Ines Corde", "Forty"), ("1931",), ("Forty", "Ten ships")]
SIZES: dict[str, Any] = {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 4096, "initializer_range": 0.2, "pad_token_id": None,
    "bos_token_id": 0, "eos_token_id": 1,
}  # fmt: skip


def prefix_of(llm: LLM, *texts: str) -> Prefix:
    """The texts' own keys and values, read behind the worked examples."""
    ids = [i for segment in llm.segment_ids(texts, "")[1:-1] for i in segment]
    with torch.no_grad():
        return project(llm.model.get_decoder(), list(Sink(llm).states_of(ids, None, "input")))


def assert_same(one: list[Reading], other: list[Reading], atol: float = 1e-4) -> None:
    assert [r.ids for r in one] == [r.ids for r in other]
    for a, b in zip(one, other, strict=True):
        torch.testing.assert_close(a.hidden, b.hidden, atol=atol, rtol=atol)
        assert a.logprobs == pytest.approx(b.logprobs, abs=atol)
        assert a.divergence == pytest.approx(b.divergence, abs=atol)


def test_a_texts_own_keys_and_values_are_the_text_in_the_prompt(llm: LLM) -> None:
    references = [Reference(r.ids, r.hidden) for r in llm.answer(Recall(), QUESTIONS)]
    in_context = llm.answer(Recall(contexts=(TEXTS,) * 3), QUESTIONS, CANDIDATES, references)
    assert_same(llm.answer(Recall(prefix=prefix_of(llm, *TEXTS)), QUESTIONS, CANDIDATES, references), in_context)
    assert [r.logprobs for r in llm.answer(Recall(), QUESTIONS, CANDIDATES)] != [r.logprobs for r in in_context]


def test_a_prefix_combines_with_contexts_and_adapter(llm: LLM) -> None:
    name = "model.layers.0.self_attn.k_proj"
    weight = llm.model.get_submodule(name).weight
    generator = torch.Generator().manual_seed(0)
    factors = {
        "A": torch.randn(2, weight.shape[1], generator=generator) * 0.1,
        "B": torch.randn(weight.shape[0], 2, generator=generator) * 0.1,
    }
    adapter = Adapter(({name: factors},), 1.0)
    with llm.wearing(adapter):
        prefix = prefix_of(llm, TEXTS[0])
    together = Recall(contexts=(TEXTS[1:],) * 3, adapter=adapter, prefix=prefix)
    plain = Recall(contexts=(TEXTS,) * 3, adapter=adapter)
    assert_same(llm.answer(together, QUESTIONS, CANDIDATES), llm.answer(plain, QUESTIONS, CANDIDATES))


@contextmanager
def as_model(llm: LLM, model: Any) -> Iterator[LLM]:
    """The tiny tokenizer with another random model."""
    yield LLM(model, llm.tokenizer, "other", "plain", max_new_tokens=4)


@pytest.mark.parametrize(
    ("model", "config", "more"),
    [
        (LlamaForCausalLM, LlamaConfig, {"attention_bias": True}),
        (MistralForCausalLM, MistralConfig, {"sliding_window": None}),
        (Qwen2ForCausalLM, Qwen2Config, {}),
        (Qwen3ForCausalLM, Qwen3Config, {"head_dim": 12}),
        (CohereForCausalLM, CohereConfig, {}),
        (
            Gemma3ForCausalLM,
            Gemma3TextConfig,
            {
                "head_dim": 8, "sliding_window": 40,
                "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
            },
        ),
    ],
)  # fmt: skip
def test_the_identity_holds_for_other_kinds_of_models(llm: LLM, model: Any, config: Any, more: dict[str, Any]) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        made = model(config(vocab_size=llm.model.config.vocab_size, **{**SIZES, **more}))
    with as_model(llm, made) as other:
        require_projectable(other.model, other.name)
        prefix = prefix_of(other, *TEXTS)
        in_context = other.answer(Recall(contexts=(TEXTS,) * 3), QUESTIONS, CANDIDATES)
        assert_same(other.answer(Recall(prefix=prefix), QUESTIONS, CANDIDATES), in_context, atol=1e-3)


def test_other_ways_to_make_keys_are_refused(llm: LLM) -> None:
    made = Olmo2ForCausalLM(Olmo2Config(vocab_size=llm.model.config.vocab_size, **SIZES))  # norms what comes out
    with as_model(llm, made) as other, pytest.raises(MembenchError, match="of other cannot be made outside of it"):
        require_projectable(other.model, other.name)


def test_gradients_flow_into_an_inserted_prefix(llm: LLM) -> None:
    prefix = prefix_of(llm, TEXTS[0])
    leaves = [part.clone().requires_grad_() for part in (*prefix.keys, *prefix.values)]
    layers = len(prefix.keys)
    tree = Tree(llm.model)
    (root,), _ = tree.grow([(None, [5, 6, 7])])
    for _ in range(2):  # a second step must not reach into the first one's graph
        with tree.aside():
            node = tree.insert_prefix(root, Prefix(tuple(leaves[:layers]), tuple(leaves[layers:])))
            hidden = tree.grow([(node, [8, 9])])[1][0]
        hidden.square().sum().backward()  # type: ignore[no-untyped-call]
    assert all(leaf.grad is not None and leaf.grad.abs().sum() > 0 for leaf in leaves)


def test_prefixes_are_joined_and_cut(llm: LLM) -> None:
    prefix = prefix_of(llm, *TEXTS)
    one, rest = cut(prefix, 5), Prefix(
        tuple(k[:, 5:] for k in prefix.keys), tuple(v[:, 5:] for v in prefix.values)
    )  # fmt: skip
    assert one.tokens == 5
    assert all(map(torch.equal, joined([one, rest]).keys, prefix.keys))
    assert all(map(torch.equal, joined([one, rest]).values, prefix.values))


def test_observation_leaves_no_hook(llm: LLM) -> None:
    with observed(llm.model.get_decoder()):
        pass
    assert not any(layer._forward_hooks for layer in llm.model.get_decoder().layers)


def test_a_prefix_that_does_not_fit_is_refused(llm: LLM) -> None:
    prefix = prefix_of(llm, TEXTS[0])
    with pytest.raises(MembenchError, match=r"a prefix has 1 layers .* where this model wants 2 layers"):
        llm.answer(Recall(prefix=Prefix(prefix.keys[:1], prefix.values[:1])), QUESTIONS)
    long = joined([prefix] * 200)
    with pytest.raises(MembenchError, match=rf"a memory of {long.tokens} tokens and a prompt of .* exceed the window"):
        llm.answer(Recall(prefix=long), QUESTIONS)
