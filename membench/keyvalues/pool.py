"""The self-updatable memory pool: per layer, hidden states of what was read, the newest last (MemoryLLM, ICML 2024).

A write runs [last vectors of the pool ; chunk] through the model and keeps the chunk's last hidden states of every
layer; once the pool is full, as many of its vectors are dropped at random. A read makes keys and values of all vectors.
The prompt's worked examples stand before the pool in both, as the sink of attention.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from membench.reading.key_values import observed, project
from membench.reading.token_tree import Node
from membench.values import Recall

if TYPE_CHECKING:
    from membench.model.llm import LLM


@dataclass(frozen=True)
class Pool:
    """The vectors [layers, filled, width], oldest first, and how many pieces of text were written."""

    states: Tensor
    writes: int


class Sink:
    """The worked examples, read once; what is written or read stands behind them."""

    def __init__(self, llm: LLM):
        self.llm = llm
        self.tree = llm.tree(Recall())
        with torch.no_grad():
            nodes, _ = self.tree.grow([(None, llm.segment_ids([], "")[0])])
        self.node = nodes[0]

    def below(self, states: Tensor | None) -> Node:
        """The node behind the vectors [layers, tokens, width], or behind the examples if there are none."""
        if states is None or not states.shape[1]:
            return self.node
        return self.tree.insert_prefix(self.node, project(self.tree.decoder, list(states.to(self.llm.device))))

    def states_of(self, chunk: Sequence[int], tail: Tensor | None, store: str) -> Tensor:
        """Hidden states [layers, tokens, width] of a chunk read behind the pool's tail; gradients flow."""
        with self.tree.aside():
            node = self.below(tail)
            with observed(self.tree.decoder) as (into, out):
                self.tree.grow([(node, chunk)])
        return torch.stack(into if store == "input" else out)


def pieces(llm: LLM, text: str, limit: int) -> Iterator[list[int]]:
    """The tokens of a text as it stands in a prompt, in consecutive pieces of at most `limit`."""
    ids = llm.segment_ids([text], "")[1]
    for start in range(0, len(ids), limit):
        yield ids[start : start + limit]


def tail(states: Tensor | None, count: int) -> Tensor | None:
    """The newest vectors of a pool."""
    return None if states is None else states[:, -count:]


def update(states: Tensor | None, fresh: Tensor, size: int, drop: str, seed: int) -> Tensor:
    """The pool [layers, at most size, width] with fresh vectors at its end.

    What is too much is dropped from the old ones at random, by `seed`: the same places in all layers (`shared`) or
    others in each (`layer`). The order stays.
    """
    if states is None:
        return fresh
    surplus = states.shape[1] + fresh.shape[1] - size
    if surplus > 0:
        keep = survivors(states.shape[1], surplus, len(states) if drop == "layer" else 1, seed)
        keep = keep.to(states.device).expand(len(states), -1)
        states = states.gather(1, keep[..., None].expand(-1, -1, states.shape[2]))
    return torch.cat([states, fresh], dim=1)


def survivors(count: int, dropped: int, rows: int, seed: int) -> Tensor:
    """For each row the sorted places [rows, count − dropped] that stay."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.stack([torch.randperm(count, generator=generator) for _ in range(rows)])
    return order[:, dropped:].sort(dim=1).values
