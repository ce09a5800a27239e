"""Seeds whose contexts differ, as the first half of an order that each seed shuffles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean


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
