"""Which nodes of a RAPTOR tree one comes to."""

from __future__ import annotations

from membench.retrieval.summary_tree import SummaryTree


def reached(tree: SummaryTree) -> set[int]:
    """The nodes that one comes to from the roots."""
    found, level = set[int](), set(tree.roots)
    while level:
        found |= level
        level = {child for node in level for child in tree.below(node)}
    return found
