"""Bytes of a memory at another number of contexts than it was measured with."""

from __future__ import annotations

from functools import cache

from membench.plugins import registry
from membench.tables.entry import Entry


def bytes_at(entry: Entry, contexts: int) -> float | None:
    """Bytes at rest of a memory of so many contexts; None where they were not measured.

    A memory that was measured with one context at a time stands for one of them, so there are as many. One that was
    measured with several grows by what each more adds: of one that fills up, at most by that. Weights do not grow, but
    for what is kept beside them.
    """
    state, each, count = entry.cost("state_bytes"), entry.cost("state_bytes_per_context"), held(entry)
    if state is None or each is None:
        return None
    if count <= 1:
        return each * contexts
    return max(0.0, state + _more(entry, each, count) * (contexts - count))


def held(entry: Entry) -> float:
    """Contexts in a memory when it was measured, 0 where it takes no bytes."""
    state, each = entry.cost("state_bytes"), entry.cost("state_bytes_per_context")
    return state / each if state and each else 0.0


def _more(entry: Entry, each: float, count: float) -> float:
    """Bytes that one more context adds to a memory of several."""
    marginal = entry.cost("marginal_bytes_per_context")
    if merged(entry) or (constant(entry) and marginal is None):
        beside, state = entry.cost("deployed_growth_bytes") or 0.0, each * count
        return beside / count if beside < state else 0.0
    return each if marginal is None else max(0.0, marginal)


def grew(entry: Entry) -> bool:
    """Whether its memory grew with each context."""
    return (entry.cost("marginal_bytes_per_context") or 0.0) > 0


def merged(entry: Entry) -> bool:
    """Whether the memory is weights, into which writes are merged."""
    return _kind(entry.method) == "weights"


def constant(entry: Entry) -> bool:
    """Whether the method says that its memory does not grow without end."""
    return _kind(entry.method) in ("weights", "bounded")


@cache
def _kind(method: str) -> str:
    """What the method states its memory to be (membench.api.MemoryKind); one that is not installed says nothing."""
    return registry.stated("methods", method, "kind")
