"""Keys and values as a memory: made of hidden states by the model's own layers, and turned to where they stand.

Keys are kept as they are before the rotary position embedding, so that a prefix can stand at any position.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from membench.errors import MembenchError
from membench.reading.cache_argument import kept_in
from membench.values import Prefix

_TRIAL_TOKENS = 4
_TOLERANCE = 1e-2  # of keys and values between two ways to compute them; a wrong rotation is off by their own size


def project(decoder: Any, states: Sequence[Tensor]) -> Prefix:
    """The keys and values that each layer makes of these states [tokens, width], one tensor a layer.

    Norms, biases and projections are the layer's own modules, so that whatever changes them (an adapter) counts.
    """
    keys, values = [], []
    for layer, hidden in zip(decoder.layers, states, strict=True):
        attention = layer.self_attn
        normed = layer.input_layernorm(hidden)
        key = attention.k_proj(normed).unflatten(-1, (-1, attention.head_dim))
        if getattr(attention, "k_norm", None) is not None:
            key = attention.k_norm(key)
        keys.append(key.transpose(0, 1))
        values.append(attention.v_proj(normed).unflatten(-1, (-1, attention.head_dim)).transpose(0, 1))
    return Prefix(tuple(keys), tuple(values))


def rotated(decoder: Any, keys: Sequence[Tensor], start: int) -> Iterator[Tensor]:
    """The keys of each layer [heads, tokens, width] as they stand from position `start` on, [1, heads, tokens, width].

    Rotation and angles are the model's own, for each kind of layer where they differ.
    """
    positions = torch.arange(start, start + keys[0].shape[1], device=keys[0].device)[None]
    by_kind = "layer_type" in inspect.signature(decoder.rotary_emb.forward).parameters
    angles: dict[str | None, tuple[Tensor, Tensor]] = {}
    for index, (layer, key) in enumerate(zip(decoder.layers, keys, strict=True)):
        kind = decoder.config.layer_types[index] if by_kind else None
        if kind not in angles:
            angles[kind] = decoder.rotary_emb(key, positions, *([kind] if by_kind else []))
        turn = sys.modules[type(layer.self_attn).__module__].apply_rotary_pos_emb
        yield turn(key[None], key[None], *angles[kind])[1]


def joined(prefixes: Sequence[Prefix]) -> Prefix:
    """Prefixes one behind another; at least one."""
    keys = zip(*(prefix.keys for prefix in prefixes), strict=True)
    values = zip(*(prefix.values for prefix in prefixes), strict=True)
    return Prefix(tuple(torch.cat(part, dim=1) for part in keys), tuple(torch.cat(part, dim=1) for part in values))


def cut(prefix: Prefix, tokens: int) -> Prefix:
    """The first tokens of a prefix."""
    return Prefix(tuple(k[:, :tokens] for k in prefix.keys), tuple(v[:, :tokens] for v in prefix.values))


@contextmanager
def observed(decoder: Any) -> Iterator[tuple[list[Tensor], list[Tensor]]]:
    """What goes into each layer and what comes out of it, [tokens, width] a layer, of the one pass made inside."""
    into: list[Tensor] = []
    out: list[Tensor] = []

    def watch(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        into.append((args[0] if args else kwargs["hidden_states"])[0])
        out.append((result[0] if isinstance(result, tuple) else result)[0])

    handles = [layer.register_forward_hook(watch, with_kwargs=True) for layer in decoder.layers]
    try:
        yield into, out
    finally:
        for handle in handles:
            handle.remove()


@torch.no_grad()
def require_projectable(model: Any, name: str) -> None:
    """Refuse a model whose keys and values are not made of its states in the usual way, by a trial on a few tokens.

    That way is Llama's: norm, projection, optional norm of the keys, rotation. Raises MembenchError.
    """
    decoder, cache = model.get_decoder(), DynamicCache()
    device = next(decoder.parameters()).device
    try:
        with observed(decoder) as (states, _):
            decoder(torch.arange(_TRIAL_TOKENS, device=device)[None], **kept_in(decoder, cache))
        made = project(decoder, states)
        pairs = list(zip(rotated(decoder, made.keys, 0), made.values, strict=True))
        layers: list[Any] = cache.layers
        same = len(layers) == len(pairs) and all(
            _close(key, layer.keys) and _close(value[None], layer.values)
            for layer, (key, value) in zip(layers, pairs, strict=True)
        )
    except (AttributeError, TypeError, ValueError, RuntimeError) as error:
        raise _refusal(name, f"{type(error).__name__}: {error}") from error
    if not same:
        raise _refusal(name, "they are not norm, projection and rotation of a layer's input")


def _close(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one.float(), other.float(), atol=_TOLERANCE, rtol=_TOLERANCE)


def _refusal(name: str, why: str) -> MembenchError:
    return MembenchError(
        f"the keys and values of {name} cannot be made outside of it ({why}): "
        "take a model of the Llama, Mistral, Qwen or Gemma 3 kind"
    )
