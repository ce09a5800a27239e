"""Intervals of shares, which lie between 0 and 1: Wilson's, on as many trials as the contexts are worth.

A t-interval says "0.00 ±0.00" where nothing of n was right, and leaves [0, 1] near its ends. Wilson (1927) inverts the
test of a share instead. Questions on one context are no independent trials; the effective number of trials is that at
which a share's variance p(1 − p)/n would be the variance that the contexts (and seeds) show (Korn and Graubard 1998).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from membench.statistics.intervals import Interval, Spread, around, quantile, spread_of, two_way_ci

_ROUNDING = 1e-9


def share_ci(matrix: Sequence[Sequence[float]], level: float = 0.95) -> Interval:
    """The mean of a seeds × contexts matrix of shares, its interval within [0, 1].

    A mean beyond [0, 1] is no share: it gets the t-interval. Single values may lie beyond, as the linearised ones of a
    ratio of sums do. Where all contexts have one value inside (0, 1), nothing tells how they vary, and the interval is
    that value.
    """
    spread = spread_of(matrix)
    if spread is None or not -_ROUNDING <= spread.value <= 1 + _ROUNDING:
        return two_way_ci(matrix, level)
    return wilson(spread, len(matrix[0]), level)


def wilson(spread: Spread, contexts: float, level: float = 0.95) -> Interval:
    """A share with its interval; `contexts` is the number of trials that it is worth at least, as one context is one.

    With Student's quantile in place of the normal one, as the variance comes from few contexts (Dean and Pagano 2015).
    """
    p, t = min(1.0, max(0.0, spread.value)), quantile(round(spread.df, 3), level)
    if spread.error > 0 and 0 < p < 1:
        trials = max(p * (1 - p) / spread.error**2, contexts - 1)
    elif 0 < p < 1:
        return around(spread, level)
    else:
        trials = contexts
    shrink = 1 + t * t / trials
    centre = (p + t * t / (2 * trials)) / shrink
    half = t / shrink * math.sqrt(p * (1 - p) / trials + (t / (2 * trials)) ** 2)
    return Interval(spread.value, max(0.0, min(p, centre - half)), min(1.0, max(p, centre + half)))
