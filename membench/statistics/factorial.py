"""Effects of two-level factorial designs, and which of them are more than noise.

An effect is the mean of the runs at a factor's high level less the mean at the low one. Two judges: Lenth (1989) takes
the noise from the effects themselves, most of which are assumed to be none, so that it needs no replicates; and where
every run was measured on the same blocks (contexts), an effect's spread over these is its error.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

ALPHA = 0.05


@dataclass(frozen=True)
class Effect:
    """An effect, and how far from 0 it would be by chance: in 5 % of effects (`margin`), and in 5 % of designs
    (`simultaneous`) by Lenth's method, in 5 % of effects by its spread over blocks (`blocks`; None for fewer than two).
    """

    value: float
    margin: float
    simultaneous: float
    blocks: float | None


def effects(columns: Mapping[str, Sequence[int]], values: NDArray[np.float64]) -> dict[str, Effect]:
    """The effect of each column of signs on the values [runs, blocks]; a run's value is the mean over its blocks.

    The columns are orthogonal and their signs sum to 0. The spread over blocks is pooled over the effects: it has
    effects × (blocks − 1) degrees of freedom.
    """
    signs = np.array(list(columns.values()), dtype=float)  # [effects, runs]
    by_block = 2 * signs @ values / values.shape[0]  # [effects, blocks]
    found = by_block.mean(1)
    margin, simultaneous = lenth(found.tolist())
    blocks = None
    if (count := values.shape[1]) > 1:
        spread = math.sqrt(by_block.var(1, ddof=1).mean() / count)
        blocks = float(-stdtrit(len(signs) * (count - 1), ALPHA / 2)) * spread
    return {n: Effect(float(v), margin, simultaneous, blocks) for n, v in zip(columns, found, strict=True)}


def lenth(contrasts: Sequence[float]) -> tuple[float, float]:
    """Lenth's margin of error of one contrast and of all of them together, at 5 %.

    The pseudo standard error is 1.5 × the median of those contrasts that are below 2.5 × (1.5 × the median of all); a
    third of their number stands for its degrees of freedom.
    """
    sizes = np.abs(np.asarray(contrasts, dtype=float))
    first = 1.5 * float(np.median(sizes))
    small = sizes[sizes <= 2.5 * first]
    error = 1.5 * float(np.median(small))
    df = len(sizes) / 3
    each = 1 - (1 + (1 - ALPHA) ** (1 / len(sizes))) / 2
    return float(-stdtrit(df, ALPHA / 2)) * error, float(-stdtrit(df, each)) * error
