"""The contexts of several seeds: the same for all, or others, as the first half of an order that each seed shuffles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean


def shared_keys(found: Sequence[Mapping[str, float]]) -> list[str]:
    """The contexts that all have, in the order of the first."""
    first, *others = found or ({},)
    names = list(first)
    others = [contexts for contexts in others if list(contexts) != names]  # lists of the same texts compare quickest
    if all(contexts.keys() == first.keys() for contexts in others):
        return names
    shared = set(first).intersection(*others)
    return [context for context in first if context in shared]


def in_order(contexts: Mapping[str, float], names: Sequence[str]) -> list[float]:
    """The values of these contexts."""
    return list(contexts.values()) if list(contexts) == names else [contexts[name] for name in names]


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
