"""Reading many texts that begin alike in one pass: a token tree over one key-value cache.

Every node is a run of tokens that sees its ancestors and itself, nothing else. A batch is one packed row of new nodes:
no padding, no copy of a shared prefix, and the same code serves reading, decoding, scoring of candidates and training
(gradients flow through shared nodes).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import DynamicCache

from membench.errors import MembenchError
from membench.reading.cache_argument import kept_in
from membench.reading.key_values import rotated
from membench.reading.shared_keys import in_place
from membench.values import Prefix

LONGEST_RUN = 4096  # tokens of one run in a pass: a mask for more of them takes gigabytes


@dataclass(frozen=True)
class Node:
    """A run of tokens in the tree: its index, and the position (depth in tokens) at which its next token stands."""

    index: int
    depth: int


class Tree:
    """A growing forest of token runs over one cache. Batch size 1; new nodes are packed side by side."""

    rule: Hashable = None  # how tokens attend, where it is not the model's own way
    cached = True  # whether what was read stays as keys and values

    def __init__(self, model: nn.Module, states: Tensor | None = None, prefix: Prefix | None = None):
        """An empty tree.

        With `states` [rows, width] a run is a sequence of row numbers, and these rows stand in place of embeddings. A
        `prefix` is planted behind the first segment of all prompts.
        """
        self.states = states
        self.prefix = prefix
        self.decoder = model.get_decoder()  # type: ignore[operator]
        self.config: Any = model.config
        self.cache = DynamicCache()  # without the config: sliding layers keep all, the mask cuts them
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
        if any(len(tokens) > LONGEST_RUN for _, tokens in runs):
            return self._grow_long(runs, extend)
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

    def _grow_long(
        self, runs: Sequence[tuple[Node | int | None, Sequence[int]]], extend: bool
    ) -> tuple[list[Node], list[Tensor]]:
        """As `grow`, each run by itself, and a long one piece by piece."""
        new: list[Node] = []
        states: list[Tensor] = []
        for above, tokens in runs:
            node: Node | None = new[above] if isinstance(above, int) else above
            parts: list[Tensor] = []
            for start in range(0, max(len(tokens), 1), LONGEST_RUN):
                piece = tokens[start : start + LONGEST_RUN]
                (node,), (hidden,) = self.grow([(node, piece)], extend=extend if start == 0 else True)
                parts.append(hidden)
            assert node is not None
            new.append(node)
            states.append(torch.cat(parts))
        return new, states

    def plant(self, root: Node) -> Node:
        """What every prompt stands below: the worked examples, and the prefix behind them; in other trees more."""
        return self.insert_prefix(root, self.prefix) if self.prefix else root

    def insert(self, above: Node | None, layers: Sequence[tuple[Tensor, Tensor]]) -> Node:
        """A node below another one whose rotated keys and values are known; gradients flow into them.

        `layers` has a pair for each layer, both [kv_heads, tokens, head_dim].
        """
        start, index = above.depth if above else 0, len(self._lineage)
        self._lineage.append([index] + (self._lineage[above.index] if above else []))
        for i, (keys, values) in enumerate(layers):
            self.cache.update(keys[None], values[None], i)
        tokens, device = layers[0][0].shape[1], layers[0][0].device
        self._owner.append(torch.full((tokens,), index, device=device))
        self._depth.append(torch.arange(start, start + tokens, device=device))
        return Node(index, start + tokens)

    def insert_prefix(self, above: Node | None, prefix: Prefix) -> Node:
        """A prefix below a node: its keys are rotated for the positions at which they then stand.

        Raises MembenchError if they are not of this model's layers and sizes.
        """
        layers = self.decoder.layers
        shape = (self.config.num_key_value_heads, prefix.tokens, layers[0].self_attn.head_dim)
        if len(prefix.keys) != len(layers) or any(part.shape != shape for part in (*prefix.keys, *prefix.values)):
            found = f"{len(prefix.keys)} layers of {tuple(prefix.keys[0].shape)}"
            raise MembenchError(f"a prefix has {found} where this model wants {len(layers)} layers of {shape}")
        like = next(self.decoder.parameters())
        keys = [key.to(like.device, like.dtype) for key in prefix.keys]
        values = [value.to(like.device, like.dtype) for value in prefix.values]
        turned = rotated(self.decoder, keys, above.depth if above else 0)
        return self.insert(above, [(key[0], value) for key, value in zip(turned, values, strict=True)])

    def layers(self, start: int = 0) -> list[tuple[Tensor, Tensor]]:
        """Keys and values of all cached tokens from `start` on: a layer, each [kv_heads, tokens, head_dim]."""
        cached: list[Any] = self.cache.layers
        return [(layer.keys[0, :, start:], layer.values[0, :, start:]) for layer in cached]

    def mark(self) -> tuple[int, int, int]:
        """The tree as it is now, for `rewind`."""
        return len(self._lineage), len(self._owner), self.cache.get_seq_length()

    def rewind(self, mark: tuple[int, int, int]) -> None:
        """Drop every node grown since the mark."""
        nodes, passes, length = mark
        del self._lineage[nodes:], self._owner[passes:], self._depth[passes:]
        surplus = self.cache.get_seq_length() - length
        if surplus:
            self.cache.crop(-surplus)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What is grown inside is gone afterwards, with the gradients that hang on it; no tensor is copied."""
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
        distinct = list(dict.fromkeys(owners))
        related = torch.zeros(len(distinct), len(self._lineage), dtype=torch.bool)
        row_of = {}
        for row, index in enumerate(distinct):
            related[row, self._lineage[index]] = True
            row_of[index] = row
        device = next(self.decoder.parameters()).device
        # All that is known of the new tokens goes to the device at once, and nothing comes back from there.
        told = torch.tensor([ids, owners, positions, [row_of[index] for index in owners]]).to(device, non_blocking=True)
        read, owner, depth, row = told[:1], *told[1:]
        self._owner.append(owner)
        self._depth.append(depth)
        mask = self._mask(related.to(device, non_blocking=True)[row], depth)
        with in_place(device):
            out = self.decoder(
                **({"input_ids": read} if self.states is None else {"inputs_embeds": self.states[read]}),
                attention_mask=mask,
                use_cache=True,
                **kept_in(self.decoder, self.cache),
                **self._placed(owner, depth),
            )
        self.tokens_read += len(ids)
        return out.last_hidden_state[0]  # type: ignore[no-any-return]

    def _placed(self, owner: Tensor, depth: Tensor) -> dict[str, Any]:
        """What tells the model where new tokens stand."""
        return {"position_ids": depth[None]}

    def _mask(self, related: Tensor, depth: Tensor) -> Tensor | dict[str, Tensor]:
        """[1, 1, new, cached + new]: ancestors and the own past; sliding layers cut at their window.

        `related` [new, nodes] says which nodes stand above each new token. Boolean for the implementation that masks
        with it, `sdpa`; what all others add to their scores.
        """
        owners, depths = torch.cat(self._owner), torch.cat(self._depth)
        visible = related[:, owners] & (depths <= depth[:, None])
        window = getattr(self.config, "sliding_window", None)
        near = visible & (depths > depth[:, None] - window) if window else visible
        kinds = set(getattr(self.config, "layer_types", None) or ())
        if kinds:
            return {k: self._added((near if k.startswith("sliding") else visible)[None, None]) for k in kinds}
        return self._added(near[None, None])

    def _added(self, visible: Tensor) -> Tensor:
        """A boolean mask as the model's attention takes it."""
        if getattr(self.config, "_attn_implementation", "sdpa") == "sdpa":
            return visible
        dtype = next(self.decoder.parameters()).dtype
        return torch.zeros(visible.shape, dtype=dtype, device=visible.device).masked_fill(
            ~visible, torch.finfo(dtype).min
        )


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


def head_width(config: Any) -> int:
    """Numbers in a key of one attention head, by a model's configuration."""
    return int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)
