"""After how many further writes half of what a write left is gone, with an interval (METRICS 1.3).

Of a sequence's matrix R[t, i] and the floor b_i: ρ*(k) = Σ_i (R[i+k, i] − b_i) / Σ_i (R[i, i] − b_i), over the contexts
that reach age k. The half-life is the first k with ρ*(k) <= 1/2. Its ends are the first ages at which the lower and the
upper end of ρ*(k)'s interval are; the interval is that of every ratio here: studentised bootstrap over contexts from 30
on, jackknife with Student's t below. An end that no age reaches lies beyond the contexts written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from membench.stats import BOOTSTRAP, Interval, ratio_ci, ratio_method

HALF = 0.5


class HalfLife(NamedTuple):
    """In further writes; None is beyond `seen`, the last age looked at that has an interval. `by`: see stats."""

    value: int | None
    low: int | None
    high: int | None
    seen: int
    by: str

    def __str__(self) -> str:
        """As a table prints it: `3 [2, >19]`."""
        value, low, high = (f">{self.seen}" if age is None else str(age) for age in (self.value, self.low, self.high))
        return value if self.low is None else f"{value} [{low}, {high}]"


def half_life(
    summaries: Sequence[Mapping[str, Any]], floor: Mapping[str, float], score: str = "contains"
) -> HalfLife | None:
    """Of one score; `summaries` are those of the seeds, `floor` has the score per context with nothing written.

    None where there is no matrix, where a context's floor is not known, and where contexts just after their own write
    are not significantly above the floor.
    """
    ages: dict[int, dict[str, tuple[float, float]]] = {}
    for summary in summaries:
        rows = _rows(summary, score)
        if rows and not rows[0].keys() <= floor.keys():
            return None
        for i, context in enumerate(rows[0] if rows else ()):
            base = floor[context]
            for k in range(len(rows) - i):
                late, own = ages.setdefault(k, {}).get(context, (0.0, 0.0))
                ages[k][context] = late + rows[i + k][context] - base, own + rows[i][context] - base
    ends: list[int | None] = [None, None, None]  # of the value and of the two ends of its interval
    seen, every = -1, list(ages.get(0, ()))
    for k in sorted(ages):
        ratio = _ratio(ages[k], every)
        if ratio is None or None not in ends:
            break
        seen = k
        for place, end in enumerate(ratio):
            if ends[place] is None and end is not None and end <= HALF:
                ends[place] = k
    value, low, high = ends
    return None if seen < 0 else HalfLife(value, low, high, seen, ratio_method(len(ages[value or 0])))


def _ratio(aged: Mapping[str, tuple[float, float]], every: Sequence[str]) -> Interval | None:
    """ρ*(k) with its interval. A bootstrap draws from all contexts, so that all ages share its draws: those that do not
    reach this age add nothing to either sum.
    """
    names = every if ratio_method(len(aged)) == BOOTSTRAP else aged
    sums = [aged.get(name, (0.0, 0.0)) for name in names]
    return ratio_ci([late for late, _ in sums], [own for _, own in sums])


def _rows(summary: Mapping[str, Any], score: str) -> list[dict[str, float]]:
    """The matrix of one seed, a row a write; contexts in the order of writing, as the other retention metrics tell."""
    flat = summary.get(f"matrix:{score}", {}).get("curve", [])
    early, late = (list(summary.get(f"{n}:{score}", {}).get("contexts", ())) for n in ("forgetting", "forward"))
    order = [*early, *late[-1:]]
    if not flat or len(flat) != len(order) ** 2:
        return []
    return [dict(zip(order, flat[t * len(order) : (t + 1) * len(order)], strict=True)) for t in range(len(order))]
