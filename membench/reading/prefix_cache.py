"""The worked examples' keys and values, kept from call to call for as long as no weight of the model is touched."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor, nn

from membench.reading.token_tree import Node, Tree


class PrefixCache:
    """The first segment of the last call, which a call with the same one need not read again.

    Its tokens are counted as read all the same: what a call costs in tokens must not depend on what the process did
    before, or a resumed run would differ from an undisturbed one. Only the seconds are less.
    """

    def __init__(self) -> None:
        self._key: Hashable = None
        self._layers: list[tuple[Tensor, Tensor]] = []

    def root(self, tree: Tree, tokens: Sequence[int]) -> Node:
        """The segment as the root of a tree that is empty yet."""
        if not tree.cached:
            return tree.grow([(None, tokens)])[0][0]
        key = (tuple(tokens), tree.rule, _state(tree.decoder))
        if self._key == key:
            tree.tokens_read += len(tokens)
            return tree.insert(None, self._layers)
        (node,), _ = tree.grow([(None, tokens)])
        frozen = not any(p.requires_grad for p in tree.decoder.parameters())
        self._key, self._layers = (key, tree.layers()) if frozen else (None, [])
        return node


def _state(model: nn.Module) -> Hashable:
    """What changes whenever a weight is exchanged or changed in place: an adapter put on or off, a training step.

    Not a change through `.data`, which torch does not count; `membench check` refuses methods that leave one behind.
    """
    weights = tuple((p.data_ptr(), p._version) for p in model.parameters())
    return weights, model.training, torch.is_autocast_enabled(next(model.parameters()).device.type)
