"""InfLLM's attention written out token by token over a plain Llama, and a needle in its stream, for tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest import mock

import torch

from membench.keyvalues.block_attention import Rule, rotate, select, unit_vectors
from membench.keyvalues.infllm import LookupTree, Stream

RULE = Rule(initial=6, local=16, unit=4, representatives=2, top_k=2, chunk=8)
IDS = [(7 * k * k + 3 * k) % 300 + 5 for k in range(90)]
HEAD = 6
QUESTION = [(11 * k) % 300 + 5 for k in range(RULE.chunk)]


@torch.no_grad()
def streamed(model: Any, rule: Rule, ids: list[int] = IDS) -> tuple[torch.Tensor, LookupTree]:
    """Hidden states [tokens, width] of a stream that is read chunk by chunk, and its tree."""
    tree = LookupTree(model, rule, None)
    (node,), (hidden,) = tree.grow([(None, ids[:HEAD])])
    states = [hidden]
    grow = tree.grow

    def kept(*arguments: Any, **options: Any) -> Any:
        out = grow(*arguments, **options)
        states.extend(out[1])
        return out

    tree.grow = kept  # type: ignore[method-assign]
    for start in range(HEAD, len(ids), rule.chunk):
        node = tree.extend(node, ids[start : start + rule.chunk])
    tree.grow = grow  # type: ignore[method-assign]
    return torch.cat(states), tree


@torch.no_grad()
def naive(model: Any, visible: torch.Tensor, local: int, ids: list[int] = IDS) -> torch.Tensor:
    """A Llama in which token p sees token k where `visible`[p, k], at the distance min(p - k, local - 1)."""
    decoder, n = model.model, len(ids)
    hidden = decoder.embed_tokens(torch.tensor(ids))
    place = torch.arange(n)
    distance = (place[:, None] - place).clamp(0, local - 1)
    for layer in decoder.layers:
        attention, x = layer.self_attn, layer.input_layernorm(hidden)
        v = attention.v_proj(x).view(n, -1, attention.head_dim).repeat_interleave(attention.num_key_value_groups, 1)
        products = _rotated_products(attention, x, distance, local, decoder.rotary_emb.inv_freq)
        weights = (products * attention.scaling).masked_fill(~visible, -torch.inf).softmax(-1)
        hidden = hidden + attention.o_proj((weights @ v.transpose(0, 1)).transpose(0, 1).reshape(n, -1))
        hidden = hidden + layer.mlp(layer.post_attention_layernorm(hidden))
    out: torch.Tensor = decoder.norm(hidden)
    return out


def received_as_defined(model: Any, score: str, close: Callable[[torch.Tensor, torch.Tensor], None]) -> None:
    """Assert, for the first layer of a stream that looks nothing up, what tokens received and what stands for units."""
    rule = replace(RULE, top_k=0, score=score)
    _, tree = streamed(model, rule)
    keys, _ = next(iter(tree.layers()))
    end = rule.initial + rule.unit * rule.units(len(IDS))
    assert len(IDS) > end > rule.initial + 2 * rule.chunk
    expected = _received(model, window_and_sink(rule, len(IDS)), rule)
    close(tree.received[0], expected[:, end:])
    close(tree.vectors[0], unit_vectors(keys[:, rule.initial : end], expected[:, rule.initial : end], rule))


@torch.no_grad()
def _received(model: Any, visible: torch.Tensor, rule: Rule) -> torch.Tensor:
    """What each token of IDS received in the first layer [heads, tokens] from the tokens that had it in their window.

    By the released code the attention, its own included; by the paper the products of rotated queries and keys, of
    later tokens alone. The worked examples (HEAD tokens) give nothing.
    """
    decoder, n = model.model, len(IDS)
    place = torch.arange(n)
    distance = place[:, None] - place
    layer = decoder.layers[0]
    attention, x = layer.self_attn, layer.input_layernorm(decoder.embed_tokens(torch.tensor(IDS)))
    capped = distance.clamp(0, rule.local - 1)
    scores = _rotated_products(attention, x, capped, rule.local, decoder.rotary_emb.inv_freq)
    counted = (distance >= 0) & (distance < rule.local) & (place[:, None] >= HEAD)
    if rule.score == "attention":
        scores = (scores * attention.scaling).masked_fill(~visible, -torch.inf).softmax(-1)
    else:
        counted &= distance > 0
    return (scores * counted).sum(1)


def _rotated_products(
    attention: Any, x: torch.Tensor, distance: torch.Tensor, local: int, frequencies: torch.Tensor
) -> torch.Tensor:
    """Inner products [heads, tokens, tokens] of a layer's queries with its keys, turned by their distance."""
    n = len(x)
    q, k = (f(x).view(n, -1, attention.head_dim) for f in (attention.q_proj, attention.k_proj))
    k = k.repeat_interleave(attention.num_key_value_groups, 1)
    out = torch.empty(q.shape[1], n, n)
    for step in range(local):
        turned = rotate(q.transpose(0, 1), torch.full((n,), step), frequencies)
        out = torch.where(distance == step, turned @ k.transpose(0, 1).transpose(1, 2), out)
    return out


def window_and_sink(rule: Rule, n: int) -> torch.Tensor:
    """What a token sees without any unit: initial tokens, window, and what no unit holds yet at its chunk's start."""
    p, k = torch.arange(n)[:, None], torch.arange(n)
    start = torch.where(p < HEAD, 0, HEAD + (p - HEAD) // rule.chunk * rule.chunk)
    behind = rule.initial + (start - rule.local - rule.initial).clamp(min=0) // rule.unit * rule.unit
    return (k <= p) & ((k < rule.initial) | (p - k < rule.local) | (k >= behind))


@torch.no_grad()
def needle(model: Any, unit: int, loud: int | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """What a chunk of a question looks up in the first layer, and what it becomes.

    In the streamed IDS the keys of `unit` are, in that layer, the mean query of QUESTION; the values of the unit `loud`
    are others than the stream's. One unit is looked up. Returns the units chosen in the first layer [tokens, units]
    and the final hidden states [tokens, width].
    """
    rule = replace(RULE, top_k=1)
    layers = list(streamed(model, rule)[1].layers())
    keys, values = (torch.stack(part)[:, :, HEAD:] for part in zip(*layers, strict=True))
    inside = [slice(place, place + rule.unit) for place in range(rule.initial - HEAD, keys.shape[2], rule.unit)]
    query = _mean_query(model, rule)
    keys[0][:, inside[unit]] = 10 * query.reshape(len(keys[0]), -1, query.shape[-1]).mean(1)[:, None]
    if loud is not None:
        values[0][:, inside[loud]] = 5.0
    count, heads = rule.units(len(IDS)), model.config.num_attention_heads
    evicted = torch.ones(heads, count * rule.unit)
    vectors = torch.stack([unit_vectors(layer[:, : evicted.shape[1]], evicted, rule) for layer in keys])
    received = torch.zeros(len(keys), heads, keys.shape[2] - evicted.shape[1])
    tree = LookupTree(model, rule, Stream((), keys, values, vectors, received))
    node = tree.plant(tree.insert(None, [(key[:, :HEAD], value[:, :HEAD]) for key, value in layers]))
    chosen: list[torch.Tensor] = []

    def noted(*given: Any) -> torch.Tensor:
        chosen.append(select(*given))
        return chosen[-1]

    with mock.patch("membench.keyvalues.block_attention.select", noted):
        _, (hidden,) = tree.grow([(node, QUESTION)])
    return chosen[0], hidden


def found_and_read(model: Any, unit: int, close: Callable[[torch.Tensor, torch.Tensor], None]) -> None:
    """Assert that the needle's unit is looked up by every token, that its values are read, and no other unit's."""
    chosen, hidden = needle(model, unit)
    assert chosen.shape == (len(QUESTION), RULE.units(len(IDS)))
    assert chosen.nonzero()[:, 1].tolist() == [unit] * len(QUESTION)
    assert not torch.allclose(needle(model, unit, loud=unit)[1], hidden, atol=1e-2)
    for other in {0, 7, 8, 16} - {unit}:
        close(needle(model, unit, loud=other)[1], hidden)


def _mean_query(model: Any, rule: Rule) -> torch.Tensor:
    """Of QUESTION in the first layer [heads, head_dim], at the distance at which units are read."""
    decoder = model.get_decoder()
    layer = decoder.layers[0]
    states = layer.input_layernorm(decoder.embed_tokens(torch.tensor(QUESTION)))
    queries = layer.self_attn.q_proj(states).reshape(len(QUESTION), -1, layer.self_attn.head_dim).transpose(0, 1)
    far = torch.full((len(QUESTION),), rule.local - 1)
    return rotate(queries, far, decoder.rotary_emb.inv_freq).mean(1)


def close(one: torch.Tensor, other: torch.Tensor, atol: float = 1e-4, rtol: float = 1e-4) -> None:
    torch.testing.assert_close(one, other, atol=atol, rtol=rtol)
