"""Which metric leads a table: ranks its entries, decides their groups and fronts, and stands in its figures."""

from __future__ import annotations

from collections.abc import Sequence

from membench.entry import Entry

DOWNWARDS = ("fidelity_kl", "leak", "damage", "drift", "flips")  # metrics of which less is better


def leading_metric(entries: Sequence[Entry], sort: str | None) -> str:
    """The metric that sorts, as "score/view"; else, or where a cost sorts, recall@k of a recommendation or contains."""
    if sort and not any(sort in entry.costs for entry in entries):
        return sort if "/" in sort or ":" in sort else f"{sort}/all"
    return next((n for entry in entries for n in entry.names if n.startswith("recall@")), "contains/all")


def less_is_better(metric: str) -> bool:
    """Whether a metric counts downwards."""
    return metric.startswith(DOWNWARDS)
