"""Reading many texts that begin alike in one pass: a token tree over one key-value cache.

Every node is a run of tokens that sees its ancestors and itself, nothing else. A batch is one packed row of new nodes:
no padding, no copy of a shared prefix, and the same code serves reading, decoding, scoring of candidates and training
(gradients flow through shared nodes).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import DynamicCache


@dataclass(frozen=True)
class Node:
    """A run of tokens in the tree: its index, and the position (depth in tokens) at which its next token stands."""

    index: int
    depth: int


class Tree:
    """A growing forest of token runs over one cache. Batch size 1; new nodes are packed side by side."""

    rule: Hashable = None  # how tokens attend, where it is not the model's own way

    def __init__(self, model: nn.Module, keep: bool = True):
        """With `keep=False` keys and values are not kept: the tree can grow once only, all that training needs."""
        self.decoder = model.get_decoder()  # type: ignore[operator]
        self.config = model.config
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

    def plant(self, root: Node) -> Node:
        """What every prompt stands below: the worked examples, and in other trees more."""
        return root

    def insert(self, above: Node | None, layers: Sequence[tuple[Tensor, Tensor]]) -> Node:
        """A node below another one whose keys and values are known: a layer, each [kv_heads, tokens, head_dim]."""
        assert self.cache is not None, "a tree that keeps nothing has no place for keys"
        start, index = above.depth if above else 0, len(self._lineage)
        self._lineage.append([index] + (self._lineage[above.index] if above else []))
        for i, (keys, values) in enumerate(layers):
            self.cache.update(keys[None], values[None], i)
        tokens, device = layers[0][0].shape[1], layers[0][0].device
        self._owner.append(torch.full((tokens,), index, device=device))
        self._depth.append(torch.arange(start, start + tokens, device=device))
        return Node(index, start + tokens)

    def layers(self, start: int = 0) -> list[tuple[Tensor, Tensor]]:
        """Keys and values of all cached tokens from `start` on: a layer, each [kv_heads, tokens, head_dim]."""
        assert self.cache is not None, "a tree that keeps nothing has no keys"
        kept: Sequence[Any] = self.cache.layers
        return [(layer.keys[0, :, start:], layer.values[0, :, start:]) for layer in kept]

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
            past_key_values=self.cache,
            use_cache=self.cache is not None,
            **self._placed(owner, depth),
        )
        self.tokens_read += len(ids)
        return out.last_hidden_state[0]  # type: ignore[no-any-return]

    def _placed(self, owner: Tensor, depth: Tensor) -> dict[str, Any]:
        """What tells the model where new tokens stand."""
        return {"position_ids": depth[None]}

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
