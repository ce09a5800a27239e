"""A decoder in two: its lower layers run alone, and its upper ones on what the lower ones made before.

The model's own forward pass does both, so that its embeddings, positions, masks and norms count: in place of each layer
that is not wanted stands one that does nothing, or that answers with states already known.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from membench.trained.projections import decoder_of, layers_of


class _StandIn(nn.Module):
    """Stands in place of a layer: answers with `states`, or with what came in, which it remembers as `seen`."""

    def __init__(self, layer: nn.Module, tupled: bool, states: Tensor | None = None):
        super().__init__()
        self.__dict__.update(_layer=layer, _tupled=tupled, _states=states)  # the layer is no part of this module
        self.seen: Tensor

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_layer"], name)  # a decoder may ask a layer for its kind

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """In the form in which the layer answers."""
        self.__dict__["seen"] = args[0] if args else kwargs["hidden_states"]
        out = self.__dict__["seen"] if self._states is None else self._states
        return (out, None) if self._tupled else out


class Split:
    """A model whose layers below `cut` and whose layers from there on can each be run alone."""

    def __init__(self, model: nn.Module, cut: int):
        name, self._layers = layers_of(model)
        above, _, self._name = name.rpartition(".")
        self._owner = model.get_submodule(above)
        self._cut = cut
        self._tupled = bool(cut) and _answers_in_tuples(model, self._layers[0])

    @contextmanager
    def below(self) -> Iterator[_StandIn]:
        """The lower layers alone; what they made of the last pass is `seen` [1, tokens, width]."""
        stand_ins = [_StandIn(layer, self._tupled) for layer in self._layers[self._cut :]]
        with self._as([*self._layers[: self._cut], *stand_ins]):
            yield stand_ins[0]

    @contextmanager
    def above(self, states: Tensor | None) -> Iterator[None]:
        """The upper layers alone, on what the lower ones made of the tokens that are read; all layers for cut 0."""
        if not self._cut:
            yield
            return
        lower = [_StandIn(layer, self._tupled, states) for layer in self._layers[: self._cut]]
        with self._as([*lower, *self._layers[self._cut :]]):
            yield

    @contextmanager
    def _as(self, chosen: list[nn.Module]) -> Iterator[None]:
        setattr(self._owner, self._name, nn.ModuleList(chosen))
        try:
            yield
        finally:
            setattr(self._owner, self._name, self._layers)


@torch.no_grad()
def _answers_in_tuples(model: nn.Module, layer: nn.Module) -> bool:
    """Whether a layer returns its states as the first of a tuple, as older architectures do."""
    forms: list[bool] = []
    handle = layer.register_forward_hook(lambda _module, _args, out: forms.append(isinstance(out, tuple)))
    try:
        device = next(model.parameters()).device
        decoder_of(model)(torch.zeros(1, 1, dtype=torch.long, device=device), use_cache=False)
    finally:
        handle.remove()
    return forms[0]
