"""After how many further writes half of what a write left is gone, with an interval (docs/statistics.md).

Of a sequence's matrix R[t, i] and the floor b_i: ρ*(k) = Σ_i (R[i+k, i] − b_i) / Σ_i (R[i, i] − b_i), over the contexts
that reach age k. The half-life is the first k with ρ*(k) <= 1/2. Its ends are the first ages at which the lower and the
upper end of ρ*(k)'s interval are; the interval is that of every ratio here (`ratios.recovered_ci`), over contexts
and, with several seeds, over both. An end that no age reaches lies beyond the contexts written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from membench.statistics.intervals import Interval
from membench.statistics.ratios import ROUNDING, ratio_method, recovered_ci

HALF = 0.5
Aged = Mapping[str, tuple[float, float]]  # by context: the score at an age and just after writing, both over the floor


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
    found = [rows for summary in summaries if (rows := _rows(summary, score))]
    if any(not rows[0].keys() <= floor.keys() for rows in found):
        return None
    ages = [_ages(rows, floor) for rows in found]
    every = list(dict.fromkeys(context for rows in found for context in rows[0]))
    ends: list[int | None] = [None, None, None]  # of the value and of the two ends of its interval
    methods: list[str] = []  # by age
    for k in range(max(map(len, ages), default=0)):
        ratio, how, slack = _ratio([aged[k] if k < len(aged) else {} for aged in ages], every)
        if ratio is None or None not in ends:
            break
        methods.append(how)
        for place, end in enumerate(ratio if k else ()):  # at age 0 all is there by definition
            if ends[place] is None and end is not None and end <= HALF + slack:
                ends[place] = k
    value, low, high = ends
    return HalfLife(value, low, high, len(methods) - 1, methods[value or 0]) if methods else None


def _ages(rows: Sequence[Mapping[str, float]], floor: Mapping[str, float]) -> list[Aged]:
    """By age, the contexts of one seed that reach it."""
    order = list(rows[0])
    return [
        {c: (rows[i + k][c] - floor[c], rows[i][c] - floor[c]) for i, c in enumerate(order[: len(order) - k])}
        for k in range(len(order))
    ]


def _ratio(aged: Sequence[Aged], every: Sequence[str]) -> tuple[Interval | None, str, float]:
    """ρ*(k), a mapping a seed, with its interval, how that was made, and what rounding may have made of it.

    It is over the contexts that reach this age in any seed; where one does not, it adds nothing to that seed's sums.
    """
    names = [context for context in every if any(context in those for those in aged)]
    sums = [[those.get(name, (0.0, 0.0)) for name in names] for those in aged]
    late, own = ([[pair[side] for pair in row] for row in sums] for side in (0, 1))
    gains = [gain for row in own for gain in row]
    return recovered_ci(late, own), ratio_method(len(aged)), ROUNDING * len(gains) / sum(gains) if sum(gains) else 0.0


def _rows(summary: Mapping[str, Any], score: str) -> list[dict[str, float]]:
    """The matrix of one seed, a row a write; contexts in the order of writing, as the other retention metrics tell."""
    flat = summary.get(f"matrix:{score}", {}).get("curve", [])
    early, late = (list(summary.get(f"{n}:{score}", {}).get("contexts", ())) for n in ("forgetting", "forward"))
    order = [*early, *late[-1:]]
    if not flat or len(flat) != len(order) ** 2:
        return []
    return [dict(zip(order, flat[t * len(order) : (t + 1) * len(order)], strict=True)) for t in range(len(order))]
