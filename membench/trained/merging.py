"""Several adapters as one, each with a weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from membench.values import Adapter


def merged(adapters: Sequence[Adapter], weights: Sequence[float]) -> Adapter:
    """The adapter whose change of the weights is the weighted sum of theirs; one alone with weight 1 is itself.

    The factors stand side by side (peft calls it "cat"), so that nothing is lost.
    """
    if len(adapters) == 1 and weights[0] == 1.0:
        return adapters[0]
    scale = adapters[0].scale
    return Adapter(
        tuple(
            _weighted(layer, weight * adapter.scale / scale)
            for adapter, weight in zip(adapters, weights, strict=True)
            for layer in adapter.layers
        ),
        scale,
    )


def _weighted(layer: Mapping[str, Mapping[str, Any]], weight: float) -> Mapping[str, Mapping[str, Any]]:
    if weight == 1.0:
        return layer
    return {name: {"A": part["A"], "B": part["B"] * weight} for name, part in layer.items()}
