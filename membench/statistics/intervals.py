"""Intervals that hold for few contexts: contexts are the clusters, Student's t decides.

Values per context come in; no function looks at single questions. Source: Satterthwaite
(1946) for the degrees of freedom of a sum of variances.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

BOOTSTRAP, JACKKNIFE, DELTA = "bootstrap-t", "jackknife-t", "delta-t"
BOOTSTRAP_FROM = 30  # contexts
FEWEST = 5  # contexts that an interval is shown of
DRAWS = 10_000


class Interval(NamedTuple):
    """An estimate with the ends of its confidence interval; None where the data cannot say."""

    value: float
    low: float | None
    high: float | None


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _variance(values: Sequence[float]) -> float:
    """Unbiased; `statistics.variance` computes in fractions, which is a hundred times slower."""
    mean = _mean(values)
    return sum([(value - mean) ** 2 for value in values]) / (len(values) - 1)


@lru_cache(maxsize=4096)
def _quantile(df: float, level: float) -> float:
    return float(stdtrit(df, 0.5 + level / 2))


def _around(value: float, error: float, df: float, level: float) -> Interval:
    half = _quantile(round(df, 3), level) * error
    return Interval(value, value - half, value + half)


def mean_ci(values: Sequence[float], level: float = 0.95) -> Interval:
    """The mean over contexts with its t-interval, len(values) - 1 degrees of freedom; one context has no interval."""
    if len(values) < 2:
        return Interval(_mean(values), None, None)
    return _around(_mean(values), math.sqrt(_variance(values) / len(values)), len(values) - 1, level)


def two_way_ci(matrix: Sequence[Sequence[float]], level: float = 0.95) -> Interval:
    """The mean of a seeds × contexts matrix; both are random: V = s²_context/G + s²_seed/S, Satterthwaite's df.

    One seed alone gives `mean_ci` over contexts, which does not cover the noise of training.
    """
    if len(matrix) == 1:
        return mean_ci(matrix[0], level)
    by_seed = [_mean(row) for row in matrix]
    by_context = [_mean(column) for column in zip(*matrix, strict=True)]
    if len(by_context) < 2:
        return mean_ci(by_seed, level)
    return _satterthwaite(_mean(by_seed), (by_seed, by_context), level)


def unpaired_ci(first: Sequence[Sequence[float]], second: Sequence[Sequence[float]], level: float = 0.95) -> Interval:
    """The mean of one seeds × contexts matrix minus that of another one over other contexts, same seeds (Welch 1947).

    V = s²_context/G of both + s²_seed/S of the seeds' differences, Satterthwaite's df. Below two contexts in either
    there is no interval.
    """
    by_seed = [_mean(a) - _mean(b) for a, b in zip(first, second, strict=True)]
    by_context = [[_mean(column) for column in zip(*matrix, strict=True)] for matrix in (first, second)]
    if any(len(means) < 2 for means in by_context):
        return Interval(_mean(by_seed), None, None)
    return _satterthwaite(_mean(by_seed), (*([by_seed] if len(by_seed) > 1 else []), *by_context), level)


def _satterthwaite(value: float, samples: Sequence[Sequence[float]], level: float) -> Interval:
    """A value whose variance is the sum of those of the means of these samples."""
    parts = [(_variance(means) / len(means), len(means) - 1) for means in samples]
    total = sum(part for part, _ in parts)
    if total == 0:
        return Interval(value, value, value)
    df = total**2 / sum(part**2 / df for part, df in parts)
    return _around(value, math.sqrt(total), df, level)


def standard_error(matrix: Sequence[Sequence[float]]) -> float | None:
    """Of the mean of a seeds × contexts matrix, as `two_way_ci` has it; None where neither has two."""
    by_seed = [_mean(row) for row in matrix]
    by_context = [_mean(column) for column in zip(*matrix, strict=True)]
    parts = [_variance(means) / len(means) for means in (by_seed, by_context) if len(means) > 1]
    return math.sqrt(sum(parts)) if parts else None


def ratio_ci(numerators: Sequence[float], denominators: Sequence[float], level: float = 0.95) -> Interval | None:
    """Σ numerators / Σ denominators over contexts, with the interval of `ratio_method`.

    None where the mean denominator is not significantly above 0 at this level, so that the ratio means nothing.
    """
    n = len(denominators)
    if n < 2:
        return None
    below = mean_ci(denominators, level).low
    if below is None or below <= 0:
        return None
    if ratio_method(n) == BOOTSTRAP:
        return _bootstrap_t(numerators, denominators, level)
    top, bottom = sum(numerators), sum(denominators)
    without = [(bottom - d, top - a) for a, d in zip(numerators, denominators, strict=True)]
    if any(rest <= 0 for rest, _ in without):
        return None
    jackknifed = [a / rest for rest, a in without]
    error = math.sqrt((n - 1) ** 2 / n * _variance(jackknifed))
    return _around(top / bottom, error, n - 1, level)


def two_way_ratio_ci(
    numerators: Sequence[Sequence[float]], denominators: Sequence[Sequence[float]], level: float = 0.95
) -> Interval | None:
    """Σ numerators / Σ denominators of two seeds × contexts matrices, with the interval of `ratio_method`.

    With several seeds both are random, as in `two_way_ci`, which takes the linearised values r + (a - r·d) / mean(d):
    their mean is the ratio r (delta method). None as in `ratio_ci`, which one seed alone gives.
    """
    if len(numerators) == 1:
        return ratio_ci(numerators[0], denominators[0], level)
    if len(denominators[0]) < 2:
        return None
    bottom = two_way_ci(denominators, level)
    if bottom.low is None or bottom.low <= 0:
        return None
    ratio = _mean([_mean(row) for row in numerators]) / bottom.value
    linear = [
        [ratio + (a - ratio * d) / bottom.value for a, d in zip(top, below, strict=True)]
        for top, below in zip(numerators, denominators, strict=True)
    ]
    return two_way_ci(linear, level)


def ratio_method(contexts: int, seeds: int = 1) -> str:
    """How a ratio's interval is made: below 30 contexts too few differ for a bootstrap to be trusted.

    The noise of seeds has no resampling of its own, as there are a few of them: several go by the delta method.
    """
    return DELTA if seeds > 1 else BOOTSTRAP if contexts >= BOOTSTRAP_FROM else JACKKNIFE


def _bootstrap_t(numerators: Sequence[float], denominators: Sequence[float], level: float) -> Interval:
    """The studentised bootstrap over contexts (Efron and Tibshirani 1993, 12.5); errors by the delta method."""
    a, d = np.array(numerators), np.array(denominators)
    top, bottom, aa, ad, dd = (_weights(len(a)) @ np.stack([a, d, a * a, a * d, d * d], 1)).T
    kept = bottom > 0
    top, bottom, aa, ad, dd = (values[kept] for values in (top, bottom, aa, ad, dd))
    ratio = top / bottom
    error = np.sqrt(np.maximum(aa - 2 * ratio * ad + ratio**2 * dd, 0)) / bottom
    value = float(a.sum() / d.sum())
    own = float(np.sqrt(((a - value * d) ** 2).sum()) / d.sum())
    usable = error > 1e-12
    if own < 1e-12 or not usable.any():
        return Interval(value, value, value)
    t = (ratio[usable] - value) / error[usable]
    high, low = np.quantile(t, [0.5 - level / 2, 0.5 + level / 2])
    return Interval(value, value - float(low) * own, value - float(high) * own)


@lru_cache(maxsize=8)
def _weights(contexts: int) -> NDArray[np.float64]:
    """How often each context is drawn, in 10,000 seeded resamples."""
    rng = np.random.default_rng(0)
    return rng.multinomial(contexts, np.full(contexts, 1 / contexts), size=DRAWS).astype(np.float64)
