"""Reading many texts that begin alike in one pass: a token tree over one key-value cache.

Every node is a run of tokens that sees its ancestors and itself, nothing else. A batch is one packed row of new nodes:
no padding, no copy of a shared prefix, and the same code serves reading, decoding, scoring of candidates and training
(gradients flow through shared nodes).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import DynamicCache

from membench.api import Prefix
from membench.errors import MembenchError
from membench.prefixes import rotated


@dataclass(frozen=True)
class Node:
    """A run of tokens in the tree: its index, and the position (depth in tokens) at which its next token stands."""

    index: int
    depth: int


class Tree:
    """A growing forest of token runs over one cache. Batch size 1; new nodes are packed side by side."""

    def __init__(self, model: nn.Module, keep: bool = True):
        """With `keep=False` keys and values are not kept: the tree can grow once only, all that training needs."""
        self.decoder = model.get_decoder()  # type: ignore[operator]
        self.config: Any = model.config
        self.cache = DynamicCache() if keep else None  # without the config: sliding layers keep all, the mask cuts them
        self._owner: list[Tensor] = []  # per pass: node index of each cached token
        self._depth: list[Tensor] = []  # per pass: position of each cached token
        self._lineage: list[list[int]] = []  # per node: itself and its ancestors
        self.tokens_read = 0

    def grow(
        self, runs: Sequence[tuple[Node | int | None, Sequence[int]]], extend: bool = False
    ) -> tuple[list[Node], list[Tensor]]:
        """Read these runs of tokens, each below its parent; returns the new nodes and their final hidden states.

        A parent is a node, or the number of an earlier run of this call, or None. Hidden states are [tokens, width] for
        each run. With `extend`, a run lengthens its parent in place of opening a node below it; the lengthened node
        replaces the old value.
        """
        owners: list[int] = []
        positions: list[int] = []
        ids: list[int] = []
        new: list[Node] = []
        for above, tokens in runs:
            parent = new[above] if isinstance(above, int) else above
            start = parent.depth if parent else 0
            if extend and parent:
                index = parent.index
            else:
                index = len(self._lineage)
                self._lineage.append([index] + (self._lineage[parent.index] if parent else []))
            owners += [index] * len(tokens)
            positions += range(start, start + len(tokens))
            ids += tokens
            new.append(Node(index, start + len(tokens)))
        hidden = self._forward(ids, owners, positions)
        return new, list(hidden.split([len(tokens) for _, tokens in runs]))  # type: ignore[no-untyped-call]

    def insert(self, parent: Node | None, prefix: Prefix) -> Node:
        """A node below a parent whose keys and values are given; gradients flow into them.

        Raises MembenchError if they are not of this model's layers and sizes.
        """
        assert self.cache is not None, "a tree that keeps nothing cannot hold keys and values"
        layers = self.decoder.layers
        shape = (self.config.num_key_value_heads, prefix.tokens, layers[0].self_attn.head_dim)
        if len(prefix.keys) != len(layers) or any(part.shape != shape for part in (*prefix.keys, *prefix.values)):
            found = f"{len(prefix.keys)} layers of {tuple(prefix.keys[0].shape)}"
            raise MembenchError(f"a prefix has {found} where this model wants {len(layers)} layers of {shape}")
        like = next(self.decoder.parameters())
        keys = [key.to(like.device, like.dtype) for key in prefix.keys]
        values = [value.to(like.device, like.dtype) for value in prefix.values]
        start = parent.depth if parent else 0
        index = len(self._lineage)
        self._lineage.append([index] + (self._lineage[parent.index] if parent else []))
        self._owner.append(torch.full((prefix.tokens,), index, device=like.device))
        self._depth.append(torch.arange(start, start + prefix.tokens, device=like.device))
        for layer, (key, value) in enumerate(zip(rotated(self.decoder, keys, start), values, strict=True)):
            self.cache.update(key, value[None], layer)
        return Node(index, start + prefix.tokens)

    def mark(self) -> tuple[int, int, int]:
        """The tree as it is now, for `rewind`."""
        assert self.cache is not None, "a tree that keeps nothing has nothing to go back to"
        return len(self._lineage), len(self._owner), self.cache.get_seq_length()

    def rewind(self, mark: tuple[int, int, int]) -> None:
        """Drop every node grown since the mark."""
        nodes, passes, length = mark
        del self._lineage[nodes:], self._owner[passes:], self._depth[passes:]
        assert self.cache is not None
        surplus = self.cache.get_seq_length() - length
        if surplus:
            self.cache.crop(-surplus)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What is grown inside is gone afterwards, with the gradients that hang on it; no tensor is copied."""
        assert self.cache is not None, "a tree that keeps nothing has nothing to go back to"
        nodes, passes = len(self._lineage), len(self._owner)
        cached: list[Any] = self.cache.layers
        before = [(layer.is_initialized, layer.keys, layer.values) for layer in cached]
        try:
            yield
        finally:
            del self._lineage[nodes:], self._owner[passes:], self._depth[passes:]
            del cached[len(before) :]
            for layer, state in zip(cached, before, strict=True):
                layer.is_initialized, layer.keys, layer.values = state

    def _forward(self, ids: list[int], owners: list[int], positions: list[int]) -> Tensor:
        device = next(self.decoder.parameters()).device
        owner = torch.tensor(owners, device=device)
        depth = torch.tensor(positions, device=device)
        self._owner.append(owner)
        self._depth.append(depth)
        mask = self._mask(owner, depth)
        out = self.decoder(
            input_ids=torch.tensor([ids], device=device),
            attention_mask=mask,
            position_ids=depth[None],
            past_key_values=self.cache,
            use_cache=self.cache is not None,
        )
        self.tokens_read += len(ids)
        return out.last_hidden_state[0]  # type: ignore[no-any-return]

    def _mask(self, owner: Tensor, depth: Tensor) -> Tensor | dict[str, Tensor]:
        """Boolean [1, 1, new, cached + new]: ancestors and the own past; sliding layers cut at their window."""
        owners, depths = torch.cat(self._owner), torch.cat(self._depth)
        related = torch.zeros(len(self._lineage), len(self._lineage), dtype=torch.bool, device=owner.device)
        for index in set(owner.tolist()):
            related[index, self._lineage[index]] = True
        distance = depth[:, None] - depths[None]
        visible = related[owner][:, owners] & (distance >= 0)
        window = getattr(self.config, "sliding_window", None)
        near = visible & (distance < window) if window else visible
        kinds = set(getattr(self.config, "layer_types", None) or ())
        if kinds:
            return {k: (near if k.startswith("sliding") else visible)[None, None] for k in kinds}
        return near[None, None]


def chunks(sizes: Sequence[int], budget: int) -> Iterator[range]:
    """Consecutive ranges of items whose sizes add up to at most `budget` (one item alone may exceed it)."""
    start = total = 0
    for i, size in enumerate(sizes):
        if i > start and total + size > budget:
            yield range(start, i)
            start, total = i, 0
        total += size
    if start < len(sizes):
        yield range(start, len(sizes))
