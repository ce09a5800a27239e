"""Intervals that hold for few contexts: contexts are the clusters, Student's t decides.

Values per context come in; no function looks at single questions. Source: Satterthwaite
(1946) for the degrees of freedom of a sum of variances.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from scipy.special import stdtrit

FEWEST = 5  # contexts that an interval is shown of


class Spread(NamedTuple):
    """An estimate, its standard error and the degrees of freedom of that error."""

    value: float
    error: float
    df: float


class Interval(NamedTuple):
    """An estimate with the ends of its confidence interval; None where the data cannot say."""

    value: float
    low: float | None
    high: float | None


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean."""
    return sum(values) / len(values)


def variance(values: Sequence[float]) -> float:
    """Unbiased; `statistics.variance` computes in fractions, which is a hundred times slower."""
    middle = mean(values)
    return sum([(value - middle) ** 2 for value in values]) / (len(values) - 1)


@lru_cache(maxsize=4096)
def quantile(df: float, level: float) -> float:
    """Student's, of a two-sided interval."""
    return float(stdtrit(df, 0.5 + level / 2))


def around(spread: Spread, level: float = 0.95) -> Interval:
    """The t-interval of an estimate."""
    half = quantile(round(spread.df, 3), level) * spread.error
    return Interval(spread.value, spread.value - half, spread.value + half)


def mean_ci(values: Sequence[float], level: float = 0.95) -> Interval:
    """The mean over contexts with its t-interval, len(values) - 1 degrees of freedom; one context has no interval."""
    spread = spread_of([values])
    return Interval(mean(values), None, None) if spread is None else around(spread, level)


def two_way_ci(matrix: Sequence[Sequence[float]], level: float = 0.95) -> Interval:
    """The mean of a seeds × contexts matrix with its t-interval; see `spread_of`."""
    spread = spread_of(matrix)
    return Interval(mean([mean(row) for row in matrix]), None, None) if spread is None else around(spread, level)


def spread_of(matrix: Sequence[Sequence[float]]) -> Spread | None:
    """The mean of a seeds × contexts matrix; both are random: V = s²_context/G + s²_seed/S, Satterthwaite's df.

    One seed alone gives the spread over contexts, which does not cover the noise of training; None without two of
    either.
    """
    by_seed = [mean(row) for row in matrix]
    by_context = [mean(column) for column in zip(*matrix, strict=True)]
    samples = [means for means in (by_seed, by_context) if len(means) > 1]
    return _satterthwaite(mean(by_seed), samples) if samples else None


def unpaired_ci(first: Sequence[Sequence[float]], second: Sequence[Sequence[float]], level: float = 0.95) -> Interval:
    """The mean of one seeds × contexts matrix minus that of another one over other contexts, same seeds (Welch 1947).

    V = s²_context/G of both + s²_seed/S of the seeds' differences, Satterthwaite's df. Below two contexts in either
    there is no interval.
    """
    by_seed = [mean(a) - mean(b) for a, b in zip(first, second, strict=True)]
    by_context = [[mean(column) for column in zip(*matrix, strict=True)] for matrix in (first, second)]
    if any(len(means) < 2 for means in by_context):
        return Interval(mean(by_seed), None, None)
    return around(_satterthwaite(mean(by_seed), (*([by_seed] if len(by_seed) > 1 else []), *by_context)), level)


def _satterthwaite(value: float, samples: Sequence[Sequence[float]]) -> Spread:
    """A value whose variance is the sum of those of the means of these samples."""
    parts = [(variance(means) / len(means), len(means) - 1) for means in samples]
    total = sum(part for part, _ in parts)
    if total == 0:
        return Spread(value, 0.0, max(df for _, df in parts))
    return Spread(value, math.sqrt(total), total**2 / sum(part**2 / df for part, df in parts))


def standard_error(matrix: Sequence[Sequence[float]]) -> float | None:
    """Of the mean of a seeds × contexts matrix, as `two_way_ci` has it; None where neither has two."""
    by_seed = [mean(row) for row in matrix]
    by_context = [mean(column) for column in zip(*matrix, strict=True)]
    parts = [variance(means) / len(means) for means in (by_seed, by_context) if len(means) > 1]
    return math.sqrt(sum(parts)) if parts else None
