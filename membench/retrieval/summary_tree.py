"""RAPTOR's tree: leaves at the bottom, above them summaries of clusters, and summaries of those (Sarthi et al., 2024).

Nodes are numbered, leaves first and each layer above the ones that it sums up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from membench.retrieval.clusters import Group
from membench.retrieval.encoders import Vectors
from membench.retrieval.summarisers import Summariser

MOST_LAYERS = 5  # above the leaves
SHRINKING = 0.9  # a layer above this share of the one below is not built: it would sum up nothing


@dataclass(frozen=True, eq=False)
class SummaryTree:
    """`summaries` and `children` are of the nodes above the leaves; `vectors` [nodes, width] are of all nodes."""

    summaries: tuple[str, ...]
    children: tuple[Group, ...]
    vectors: Vectors

    @property
    def leaves(self) -> int:
        """How many nodes are leaves."""
        return len(self.vectors) - len(self.summaries)

    def below(self, node: int) -> Group:
        """The nodes that a node sums up; none for a leaf."""
        return self.children[node - self.leaves] if node >= self.leaves else ()

    @property
    def roots(self) -> list[int]:
        """The nodes that no other sums up."""
        held = {child for group in self.children for child in group}
        return [node for node in range(len(self.vectors)) if node not in held]


def grow(
    leaves: Sequence[str],
    vectors: Vectors,
    cluster: Callable[[Sequence[str], Vectors], list[Group]],
    summarise: Summariser,
    encode: Callable[[Sequence[str]], Vectors],
) -> SummaryTree:
    """The tree over some leaves with their vectors [leaves, width].

    A node that is alone in its cluster moves up as it is. Growth ends at one node, at MOST_LAYERS, or where a layer
    would hardly be smaller than the one below.
    """
    texts, children = list(leaves), list[Group]()
    layer = list(range(len(texts)))
    for _ in range(MOST_LAYERS):
        found = cluster([texts[i] for i in layer], vectors[layer]) if len(layer) > 1 else []
        if not found or len(found) > SHRINKING * len(layer):
            break
        joined = [tuple(layer[i] for i in group) for group in found if len(group) > 1]
        alone = dict.fromkeys(layer[group[0]] for group in found if len(group) == 1)
        fresh = [summarise([texts[i] for i in group], vectors[list(group)]) for group in joined]
        layer = [*alone, *range(len(texts), len(texts) + len(fresh))]
        texts += fresh
        children += joined
        vectors = np.concatenate([vectors, encode(fresh)])
    return SummaryTree(tuple(texts[len(leaves) :]), tuple(children), vectors)


def descend(tree: SummaryTree, nearness: Sequence[float], width: int) -> list[int]:
    """The nodes on the way from the roots to the leaves, keeping the `width` nearest ones at each level."""
    out: list[int] = []
    level = tree.roots
    while level:
        kept = sorted(level, key=lambda node: (-nearness[node], node))[:width]
        out += [node for node in kept if node not in out]
        level = sorted({child for node in kept for child in tree.below(node)})
    return out
