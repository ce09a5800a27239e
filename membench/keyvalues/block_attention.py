"""InfLLM's attention (Xiao et al., 2024), after the behaviour of the released code: window, initial tokens, units.

Keys are cached before rotation. A token sees the last `local` tokens at their true distance, and at one constant
distance the initial tokens, the tokens that no unit holds yet, and the units that its chunk looks up; one softmax
covers them all. Registered with transformers' attention interface; model code stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface

NAME = "membench_blocks"


@dataclass(frozen=True)
class Rule:
    """The sizes, in tokens where nothing else is said."""

    initial: int  # at the beginning, always seen
    local: int  # the window
    unit: int  # of a unit
    representatives: int  # of a unit
    top_k: int  # units that a chunk looks up
    chunk: int  # that look up together
    score: str = "attention"  # what makes a representative: attention received (released code) or product (paper)

    def units(self, tokens: int) -> int:
        """How many units the first `tokens` of a stream make: no token in a unit is in the window any more."""
        return max(0, (tokens - self.local - self.initial) // self.unit)


@dataclass
class Pass:
    """One forward pass under a rule, for all layers: where new and cached tokens stand, and the units there are.

    `depth` [new] and `depths` [cached + new] are positions; the cache begins with the stream, in order. `chunks` [new]
    numbers the chunks. `vectors` is [layers, units, heads, head_dim]. With `record`, `received` gets a layer's score
    [heads, tokens behind the units] of what its tokens received from inside the window.
    """

    rule: Rule
    depth: Tensor
    depths: Tensor
    chunks: Tensor
    vectors: Tensor
    frequencies: Tensor  # [head_dim / 2]
    record: bool
    received: dict[int, Tensor]

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor, visible: Tensor, scaling: float) -> Tensor:
        """Output [heads, new, head_dim] for queries [heads, new, ...], keys and values [kv_heads, cached + new, ...].

        `visible` [new, cached + new] says which tokens are a token's own past.
        """
        far = torch.full_like(self.depth, self.rule.local - 1)
        far_q = rotate(q, far, self.frequencies)
        chosen = select(far_q, self.vectors[layer], self.chunks, self.rule.top_k)
        index, open_ = self._reach(chosen, len(self.depths))
        k, v, depths = k[:, index], v[:, index], self.depths[index]
        distance = self.depth[:, None] - depths
        near = distance < self.rule.local
        visible = visible[:, index] & open_
        close = _products(rotate(q, self.depth, self.frequencies), rotate(k, depths, self.frequencies))
        scores = torch.where(near, close, _products(far_q, k)) * scaling
        weights = scores.float().masked_fill(~visible, -torch.inf).softmax(-1)
        if self.record:
            tail = len(self.depths) - self._ends()[1]
            inside = visible & near if self.rule.score == "attention" else visible & near & (distance > 0)
            source = weights if self.rule.score == "attention" else close.float()
            self.received[layer] = torch.where(inside, source, 0).sum(1)[:, len(index) - tail :]
        kv_heads = len(v)
        return (weights.to(v.dtype).reshape(kv_heads, -1, len(index)) @ v).reshape(q.shape)

    def _ends(self) -> tuple[int, int]:
        """Where in the cache the units begin and where they end."""
        first = min(self.rule.initial, len(self.depths))
        return first, first + self.vectors.shape[1] * self.rule.unit

    def _reach(self, chosen: Tensor, total: int) -> tuple[Tensor, Tensor]:
        """The cached tokens that any new one may look up [n], and whether each new one may [new, n]."""
        first, last = self._ends()
        tokens = torch.arange(total, device=chosen.device)
        some = chosen.any(0).nonzero()[:, 0]
        inside = (first + some[:, None] * self.rule.unit + tokens[: self.rule.unit]).flatten()
        index = torch.cat([tokens[:first], inside, tokens[last:]])
        open_ = torch.ones(len(chosen), len(index), dtype=torch.bool, device=chosen.device)
        open_[:, first : first + len(inside)] = chosen[:, some].repeat_interleave(self.rule.unit, 1)
        return index, open_


def attend(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor, scaling: float,
    *, lookup: Pass, **_: Any,
) -> tuple[Tensor, None]:  # fmt: skip
    """The attention function that transformers calls, with what the tree handed to the model as `lookup`."""
    layer: int = module.layer_idx  # type: ignore[assignment]
    out = lookup.attend(layer, query[0], key[0], value[0], attention_mask[0, 0], scaling)
    return out.transpose(0, 1)[None].contiguous(), None


AttentionInterface.register(NAME, attend)


def select(queries: Tensor, vectors: Tensor, chunks: Tensor, top_k: int) -> Tensor:
    """Which units each token looks up [tokens, units]: the `top_k` nearest to the mean query of its chunk.

    Queries [heads, tokens, head_dim], vectors [units, heads, head_dim]; inner products are summed over heads.
    """
    count, units = int(chunks.max()) + 1, len(vectors)
    member = nn.functional.one_hot(chunks, count).to(queries.dtype)
    means = torch.einsum("htd,tc->chd", queries, member / member.sum(0))
    nearness = torch.einsum("chd,uhd->cu", means, vectors)
    chosen = torch.zeros(count, units, dtype=torch.bool, device=queries.device)
    chosen.scatter_(1, nearness.topk(min(top_k, units), dim=1).indices, True)
    return chosen[chunks]


def unit_vectors(keys: Tensor, received: Tensor, rule: Rule) -> Tensor:
    """What stands for each unit [units, heads, head_dim]: for each head the mean key of its representatives.

    Keys [kv_heads, units * unit, head_dim], received [heads, units * unit].
    """
    heads = len(received)
    own = keys.repeat_interleave(heads // len(keys), 0).reshape(heads, -1, rule.unit, keys.shape[-1])
    best = received.reshape(heads, -1, rule.unit).topk(rule.representatives, -1).indices
    return own.gather(2, best[..., None].expand(*best.shape, own.shape[-1])).mean(2).transpose(0, 1)


def rotate(x: Tensor, positions: Tensor, frequencies: Tensor) -> Tensor:
    """Rotary embedding of [heads, tokens, head_dim] at these positions, as in Llama."""
    angles = (positions[:, None].float() * frequencies.float()).repeat(1, 2)
    one, other = x.chunk(2, -1)
    return x * angles.cos().to(x.dtype) + torch.cat([-other, one], -1) * angles.sin().to(x.dtype)


def _products(queries: Tensor, keys: Tensor) -> Tensor:
    """Inner products [heads, new, n] of queries [heads, new, head_dim] with keys [kv_heads, n, head_dim]."""
    heads, new, width = queries.shape
    return (queries.reshape(len(keys), -1, width) @ keys.transpose(1, 2)).reshape(heads, new, -1)
