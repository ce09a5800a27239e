"""Reciprocal rank fusion: one ranking of several, by ranks alone (Cormack, Clarke and Büttcher, SIGIR 2009)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

FLATNESS = 60  # the paper's k: how little the first ranks stand out


def fused(rankings: Sequence[Sequence[int]]) -> list[int]:
    """The places of all rankings, by the sum of 1 / (FLATNESS + rank) over those that have them, the most first.

    Ranks count from 1; of equal sums the lower place comes first.
    """
    total: dict[int, Fraction] = {}
    for ranking in rankings:
        for rank, place in enumerate(ranking, 1):
            total[place] = total.get(place, Fraction()) + Fraction(1, FLATNESS + rank)
    return sorted(total, key=lambda place: (-total[place], place))
