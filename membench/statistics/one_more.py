"""The context that was not drawn: what a method that is alike in almost all contexts may do in one more.

A method that is right or wrong a whole context at a time, as a retriever that fails rarely, may not have failed yet:
its scores then show no spread, and every test that learns the noise from the data believes them. With 9 of 10 contexts
right on average and 10 drawn, that happens in 35 % of draws. So where the scores of a method agree in most contexts, a
difference counts only if it would still be there after one more context in which that method goes to the far end of
the scale.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

NEAR = 0.1  # of the median: scores that agree
MOST = 0.75  # of the contexts must agree for the guard to stand


def far_end(scores: Array) -> float | None:
    """The end of [0, 1] that is farther from a method's usual score a context; None where its scores do not agree.

    `scores` are a method's shares by context, seeds averaged; values outside [0, 1] (linearised ratios) have no end.
    """
    if scores.min() < 0 or scores.max() > 1:
        return None
    middle = float(np.median(scores))
    agree = float((np.abs(scores - middle) <= NEAR + 1e-9).mean()) >= MOST
    return (0.0 if middle > 0.5 else 1.0) if agree else None


def against(means: Sequence[Array], pair: tuple[int, int]) -> float | None:
    """The difference, first less second, of one more context that speaks against what was seen; None where none is due.

    The method whose scores agree is at its far end there, the other one where it is on average.
    """
    first, second = (means[i] for i in pair)
    seen = float((first - second).mean())
    ends = [(far_end(first), second, 1.0), (far_end(second), first, -1.0)]
    found = [sign * (end - float(other.mean())) for end, other, sign in ends if end is not None]
    opposed = [difference for difference in found if difference * seen < 0]
    return max(opposed, key=abs) if opposed else None
