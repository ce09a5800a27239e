"""Seeds whose contexts differ, as the first half of an order that each seed shuffles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from membench.statistics.intervals import Interval
from membench.statistics.ratios import recovered_ci


def is_uneven(seeds: Sequence[Mapping[str, float]]) -> bool:
    """Whether some of these seeds have other contexts than the first, so that nothing pairs their values."""
    return any(values.keys() != seeds[0].keys() for values in seeds[1:])


def rectangular(seeds: Sequence[Mapping[str, float]]) -> list[list[float]]:
    """A seeds × contexts matrix of values that a seed has for its own contexts; each row's mean is that seed's mean.

    A context that a seed has not adds nothing to that seed's sums, so it stands at the mean of all, and the others
    count for more: the linearised values of a ratio of sums (delta method).
    """
    every = list(dict.fromkeys(context for values in seeds for context in values))
    whole = fmean(fmean(values.values()) for values in seeds) if every else 0.0
    more = [len(every) / len(values) for values in seeds]
    return [
        [whole + weight * (values[c] - whole) if c in values else whole for c in every]
        for values, weight in zip(seeds, more, strict=True)
    ]


def kept_ci(seeds: Sequence[Mapping[str, Any]]) -> Interval | None:
    """Σ numerators / Σ denominators of several seeds, each its metric as stored: linearised `contexts`, and `curve`.

    Without ends where the denominators are not surely above 0. None where a seed's are not stored, or all are 0.
    """
    terms = [_terms(metric) for metric in seeds]
    if not all(terms):
        return None
    every = list(dict.fromkeys(context for sums in terms for context in sums))
    above, below = ([[sums.get(context, (0.0, 0.0))[k] for context in every] for sums in terms] for k in (0, 1))
    whole = sum(map(sum, below))
    if not whole:
        return None
    found = recovered_ci(above, below) or Interval(sum(map(sum, above)) / whole, None, None)
    return found._replace(low=None if found.low is None else max(0.0, found.low))  # no sum is below 0


def _terms(metric: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """By context the numerator and the denominator that give its linearised value r + (a - r·d) / mean(d)."""
    value, contexts, below = metric["value"], metric.get("contexts", {}), metric.get("curve", ())
    if len(below) != len(contexts):
        return {}
    middle = fmean(below) if below else 0.0
    return {c: (value * d + (x - value) * middle, d) for (c, x), d in zip(contexts.items(), below, strict=True)}
