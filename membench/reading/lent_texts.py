"""A tree in which some runs of tokens are not read: their keys and values are known, as another model made them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from membench.reading.token_tree import Node, Tree
from membench.values import Prefix

Path = tuple[tuple[int, ...], ...]  # runs of tokens, one below the other
Layers = Sequence[tuple[Tensor, Tensor]]  # a layer: keys, rotated, and values [kv_heads, tokens, head_dim]


class LentTexts(Tree):
    """Its root is read; a run below it whose path from there is in `known` gets these keys and values.

    Such a run must not be the last of a prompt: it has no hidden states to predict from.
    """

    def __init__(self, model: nn.Module, known: Mapping[Path, Layers], prefix: Prefix | None):
        super().__init__(model, prefix=prefix)
        self._known = known
        self._paths: dict[int, Path | None] = {}  # of nodes below the root, None where some run above it was read

    def grow(
        self, runs: Sequence[tuple[Node | int | None, Sequence[int]]], extend: bool = False
    ) -> tuple[list[Node], list[Tensor]]:
        """As `Tree.grow`; what is known is inserted, with hidden states of zeros."""
        paths = [None if extend else self._path(above, tokens) for above, tokens in runs]
        if not any(path in self._known for path in paths if path):
            nodes, hidden = super().grow(runs, extend)
            if not extend:
                self._paths |= {
                    node.index: None for (above, _), node in zip(runs, nodes, strict=True) if above is not None
                }
            return nodes, hidden
        found = [self._one(above, tokens, path) for (above, tokens), path in zip(runs, paths, strict=True)]
        return [node for node, _ in found], [hidden for _, hidden in found]

    def _path(self, above: Node | int | None, tokens: Sequence[int]) -> Path | None:
        if not isinstance(above, Node):
            return None
        before = self._paths.get(above.index, ())
        return None if before is None else (*before, tuple(tokens))

    def _one(self, above: Node | int | None, tokens: Sequence[int], path: Path | None) -> tuple[Node, Tensor]:
        if path not in self._known or not isinstance(above, Node) or path is None:
            nodes, hidden = self.grow([(above, tokens)])
            return nodes[0], hidden[0]
        node = self.insert(above, self._known[path])
        self._paths[node.index] = path
        return node, torch.zeros(len(tokens), 1)
