"""Tables at a budget, and which methods nothing dominates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from membench.errors import MembenchError, unknown
from membench.tables.catalogue import COSTS
from membench.tables.entry import Entry
from membench.tables.formatting import size
from membench.tables.ranking_metric import less_is_better
from membench.values import CostSpec

FRONT_ORDER = "bwr"  # as tables print the letters
LIMITS: Mapping[str, CostSpec] = {spec.budget: spec for spec in COSTS.values() if spec.budget}
FRONTS: Mapping[str, str] = {  # the letter of a front, and the cost that it is against
    spec.front: spec.name
    for spec in sorted(COSTS.values(), key=lambda spec: FRONT_ORDER.find(spec.front))
    if spec.front
}


def limits(typed: Sequence[str]) -> dict[str, float]:
    """`bytes=1e6` as {"bytes": 1e6}. Raises MembenchError for an unknown cost or what is no number above 0."""
    found = {}
    for text in typed:
        name, _, number = text.partition("=")
        if name not in LIMITS:
            raise unknown("budget", name, LIMITS)
        try:
            found[name] = float(number)
        except ValueError:
            found[name] = math.nan
        if not 0 <= found[name] < math.inf:
            raise MembenchError(f"budget {name} wants a number, 0 or more, got {number!r}: e.g. --at {name}=1e6")
    return found


def fit(entries: Sequence[Entry], budget: Mapping[str, float]) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """The entries within the budget (floor, reference and failed ones stay), and a line for each limit.

    A cost that was not measured is not within a budget.
    """
    kept = list(entries)
    remarks = []
    for name, limit in budget.items():
        over = [e for e in kept if not e.mark and e.status == "done" and not _within(e, LIMITS[name].name, limit)]
        kept = [e for e in kept if e not in over]
        said = ", ".join(f"{e.label} ({_said(name, e.cost(LIMITS[name].name))})" for e in over)
        remarks.append(f"at {name}={limit:g} ({LIMITS[name].of}): over it {said or 'nothing'}")
    return tuple(kept), tuple(remarks)


def with_fronts(entries: Sequence[Entry], metric: str) -> tuple[Entry, ...]:
    """The entries, each with the letters of the Pareto fronts that it is on: no other is as good and cheaper, or better
    and as cheap. Floor and reference do not compete; nor do seconds measured beside other cells, where any are alone.
    """
    sign = -1 if less_is_better(metric, entries) else 1
    letters: dict[int, str] = {}
    for letter, cost in FRONTS.items():
        rivals = [e for e in entries if not e.mark and e.status == "done"]
        if COSTS[cost].unit == "s":
            rivals = [e for e in rivals if not e.beside] or rivals
        points = [(e, e.value(metric), e.cost(cost)) for e in rivals]
        known = [(e, sign * q, c) for e, q, c in points if q is not None and c is not None]
        for e, q, c in known:
            if len(known) > 1 and not any(p >= q and d <= c and (p, d) != (q, c) for _, p, d in known):
                letters[id(e)] = letters.get(id(e), "") + letter
    return tuple(replace(e, front=letters.get(id(e), "")) for e in entries)


def _within(entry: Entry, cost: str, limit: float) -> bool:
    found = entry.cost(cost)
    return found is not None and found <= limit


def _said(name: str, cost: float | None) -> str:
    if cost is None:
        return "not measured"
    return size(cost) if LIMITS[name].unit == "B" else f"{cost:.3g}"
