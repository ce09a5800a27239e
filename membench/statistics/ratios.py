"""Intervals of ratios of sums over contexts: how many times one quantity is another, or which share of it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from membench.statistics.intervals import Interval, Spread, around, mean, mean_ci, spread_of, two_way_ci, variance
from membench.statistics.shares import wilson

JACKKNIFE, DELTA = "jackknife-t", "delta-t"
FEW = 20  # contexts below which numerators may be parts of their denominators by chance
ROUNDING = 2e-6  # of values that were stored with six decimals

Matrix = Sequence[Sequence[float]]  # seeds × contexts


def ratio_ci(numerators: Sequence[float], denominators: Sequence[float], level: float = 0.95) -> Interval | None:
    """Σ numerators / Σ denominators over contexts, with Student's t on the jackknife's standard error.

    None where the mean denominator is not significantly above 0 at this level, so that the ratio means nothing.
    """
    spread = _jackknife(numerators, denominators, level)
    return None if spread is None else around(spread, level)


def two_way_ratio_ci(numerators: Matrix, denominators: Matrix, level: float = 0.95) -> Interval | None:
    """Σ numerators / Σ denominators of two seeds × contexts matrices, with Student's ends.

    With several seeds both are random, as in `two_way_ci`, which takes the linearised values r + (a - r·d) / mean(d):
    their mean is the ratio r (delta method). One seed has the jackknife. None as in `ratio_ci`.
    """
    spread = _spread(numerators, denominators, level)
    return None if spread is None else around(spread, level)


def recovered_ci(numerators: Matrix, denominators: Matrix, level: float = 0.95) -> Interval | None:
    """The same ratio, of scores that are shares: which part of Σ denominators was recovered; it may exceed 1.

    Where each numerator is a part of its denominator the ends are Wilson's (membench.statistics.shares). Elsewhere, and
    of fewer than `FEW` contexts, where that may be so by chance, they are the farther of Wilson's and Student's as long
    as the ratio is in [0, 1]; beyond, Student's.
    """
    spread = _spread(numerators, denominators, level)
    if spread is None:
        return None
    student = around(spread, level)
    if not 0 <= spread.value <= 1:
        return student
    score = wilson(spread, worth([mean(column) for column in zip(*denominators, strict=True)]), level)
    parts = (pair for rows in zip(numerators, denominators, strict=True) for pair in zip(*rows, strict=True))
    if len(denominators[0]) >= FEW and all(-ROUNDING <= a <= d + ROUNDING for a, d in parts):
        return score
    ends = [(i.low, i.high) for i in (student, score) if i.low is not None and i.high is not None]
    return Interval(spread.value, min(low for low, _ in ends), max(high for _, high in ends))


def ratio_method(seeds: int = 1) -> str:
    """How the standard error of a ratio is made."""
    return DELTA if seeds > 1 else JACKKNIFE


def _spread(numerators: Matrix, denominators: Matrix, level: float) -> Spread | None:
    several = len(numerators) > 1
    return _delta(numerators, denominators, level) if several else _jackknife(numerators[0], denominators[0], level)


def _jackknife(numerators: Sequence[float], denominators: Sequence[float], level: float) -> Spread | None:
    n = len(denominators)
    below = mean_ci(denominators, level).low if n > 1 else None
    if below is None or below <= 0:
        return None
    top, bottom = sum(numerators), sum(denominators)
    without = [(bottom - d, top - a) for a, d in zip(numerators, denominators, strict=True)]
    if any(rest <= 0 for rest, _ in without):
        return None
    error = math.sqrt((n - 1) ** 2 / n * variance([a / rest for rest, a in without]))
    return Spread(top / bottom, 0.0 if error < 1e-12 else error, n - 1)


def _delta(numerators: Matrix, denominators: Matrix, level: float) -> Spread | None:
    if len(denominators[0]) < 2:
        return None
    bottom = two_way_ci(denominators, level)
    if bottom.low is None or bottom.low <= 0:
        return None
    ratio = mean([mean(row) for row in numerators]) / bottom.value
    linear = [
        [ratio + (a - ratio * d) / bottom.value for a, d in zip(top, below, strict=True)]
        for top, below in zip(numerators, denominators, strict=True)
    ]
    return spread_of(linear)


def worth(denominators: Sequence[float]) -> float:
    """How many equal denominators these are worth (Kish 1965)."""
    return sum(denominators) ** 2 / sum(d * d for d in denominators)
