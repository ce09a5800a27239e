"""Ratios of sums over the contexts of several seeds, from metrics as they are stored: what is kept, parts of wholes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from membench.statistics.intervals import Interval, spread_of
from membench.statistics.ratios import recovered_ci, worth
from membench.statistics.shares import wilson

Metrics = Sequence[Mapping[str, Any] | None]  # a seed each; None where its denominators sum to 0, so that it has none


def pooled(seeds: Metrics, parts: bool = False) -> list[dict[str, float]]:
    """Linearised values, a mapping a seed, whose mean over seeds and contexts is the ratio of the sums of all seeds.

    r + (a - r·d) / mean(d) with r = Σa / Σd over all. A context that a seed has not adds nothing to its sums and stands
    at r. Of `parts` of wholes, one that has no whole in any seed tells nothing and is left out. Metrics are as
    `kept_ci` and `parts_ci` take them; empty where a seed's terms are not stored, or all denominators are 0.
    """
    terms, every = _all_terms(seeds)
    below = sum(d for sums in terms for _, d in sums.values())
    if not below:
        return []
    ratio = sum(a for sums in terms for a, _ in sums.values()) / below
    every = _telling(terms, every) if parts else every
    middle = below / (len(terms) * len(every))
    found = ({c: sums.get(c, (0.0, 0.0)) for c in every} for sums in terms)
    return [{c: ratio + (a - ratio * d) / middle for c, (a, d) in sums.items()} for sums in found]


def _telling(terms: Sequence[Mapping[str, tuple[float, float]]], every: Sequence[str]) -> list[str]:
    return [c for c in every if any(sums.get(c, (0.0, 0.0))[1] for sums in terms)]


def ratio_over(metric: Mapping[str, Any], contexts: Iterable[str]) -> float | None:
    """Σ numerators / Σ denominators of one seed's metric over some contexts; None where the denominators sum to 0."""
    terms = _terms(metric)
    chosen = [terms[context] for context in contexts if context in terms]
    below = sum(d for _, d in chosen)
    return sum(a for a, _ in chosen) / below if below else None


def parts_ci(seeds: Metrics) -> Interval | None:
    """Σ parts / Σ wholes of these seeds, each its metric as stored with its wholes as `below`: a share, never above 1.

    Wilson's interval over the contexts that have a whole in any seed: at least as many trials as equal wholes with this
    sum would be worth. Without ends where there is one such context. None where there is none.
    """
    matrix = [list(values.values()) for values in pooled(seeds, parts=True)]
    if not matrix:
        return None
    spread = spread_of(matrix) if len(matrix[0]) > 1 else None
    if spread is None:
        return Interval(fmean(values[0] for values in matrix), None, None)
    terms, every = _all_terms(seeds)
    return wilson(spread, worth([fmean(sums.get(c, (0.0, 0.0))[1] for sums in terms) for c in _telling(terms, every)]))


def kept_ci(seeds: Metrics) -> Interval | None:
    """Σ numerators / Σ denominators of several seeds, each its metric as stored: linearised `contexts`, and `curve` or
    `below`.

    Without ends where the denominators are not surely above 0. None where a seed's are not stored, or all are 0.
    """
    terms, every = _all_terms(seeds)
    above, below = ([[sums.get(context, (0.0, 0.0))[k] for context in every] for sums in terms] for k in (0, 1))
    whole = sum(map(sum, below))
    if not whole:
        return None
    found = recovered_ci(above, below) or Interval(sum(map(sum, above)) / whole, None, None)
    return found._replace(low=None if found.low is None else max(0.0, found.low))  # no sum is below 0


def _all_terms(seeds: Metrics) -> tuple[list[dict[str, tuple[float, float]]], list[str]]:
    """Those of every seed, none where those of one are not stored; and all contexts."""
    terms = [{} if metric is None else _terms(metric) for metric in seeds]
    terms = terms if all(sums or metric is None for sums, metric in zip(terms, seeds, strict=True)) else []
    return terms, list(dict.fromkeys(context for sums in terms for context in sums))


def _terms(metric: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """By context the numerator and the denominator that give its linearised value r + (a - r·d) / mean(d)."""
    value, contexts, below = metric["value"], metric.get("contexts", {}), metric.get("below") or metric.get("curve", ())
    if len(below) != len(contexts):
        return {}
    middle = fmean(below) if below else 0.0
    return {c: (value * d + (x - value) * middle, d) for (c, x), d in zip(contexts.items(), below, strict=True)}
