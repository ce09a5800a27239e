"""The second reader: every run of tokens by the model's own forward pass over all that stands before it.

Nothing is packed and nothing is cached, so that it reads whatever model is causal: recurrent and hybrid ones, windows
and biases that go by the order of tokens. It costs a pass over the whole prompt for each token that is decoded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from membench.errors import MembenchError
from membench.reading.token_tree import Node, Tree


class SlowTree(Tree):
    """A tree whose nodes are the tokens from the root to their end. Prefixes and look-ups have no place in it."""

    rule = "slow"
    cached = False

    def __init__(self, model: nn.Module):
        self.model: Any = model
        self.decoder = model
        self.prefix = None
        self.states = None
        self._paths: list[tuple[int, ...]] = []  # per node
        self.tokens_read = 0

    def grow(
        self, runs: Sequence[tuple[Node | int | None, Sequence[int]]], extend: bool = False
    ) -> tuple[list[Node], list[Tensor]]:
        """As `Tree.grow`."""
        new: list[Node] = []
        states: list[Tensor] = []
        for above, tokens in runs:
            parent = new[above] if isinstance(above, int) else above
            path = (*(self._paths[parent.index] if parent else ()), *tokens)
            if extend and parent:
                index = parent.index
                self._paths[index] = path
            else:
                index = len(self._paths)
                self._paths.append(path)
            new.append(Node(index, len(path)))
            states.append(before_head(self.model, path)[-len(tokens) :])
            self.tokens_read += len(path)
        return new, states

    def plant(self, root: Node) -> Node:
        """The root itself."""
        return root

    def insert(self, above: Node | None, layers: Sequence[tuple[Tensor, Tensor]]) -> Node:
        """Raises MembenchError."""
        raise MembenchError("this model is read slowly, through its own forward pass, which takes no keys and values")

    def mark(self) -> tuple[int, int, int]:
        """The tree as it is now, for `rewind`."""
        return len(self._paths), 0, 0

    def rewind(self, mark: tuple[int, int, int]) -> None:
        """Drop every node grown since the mark."""
        del self._paths[mark[0] :]

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What is grown inside is gone afterwards."""
        mark = self.mark()
        try:
            yield
        finally:
            self.rewind(mark)


def before_head(model: Any, ids: Sequence[int]) -> Tensor:
    """What the model's own forward hands to its output head for these tokens, [tokens, width]; gradients flow.

    The head itself gets the last of them alone: its logits are wanted by nobody, and cost as much as several layers.
    """
    head = model.get_output_embeddings()
    found: list[Tensor] = []

    def catch(_module: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        found.append(given[0])
        return (given[0][..., -1:, :], *given[1:])

    handle = head.register_forward_pre_hook(catch)
    try:
        model(torch.tensor([list(ids)], device=head.weight.device), use_cache=False)
    finally:
        handle.remove()
    return found[0].reshape(-1, found[0].shape[-1])
