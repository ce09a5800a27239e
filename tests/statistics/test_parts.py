"""Shares of what some contexts have none of: the interval is over those that have."""

from __future__ import annotations

import random
from typing import Any

import pytest

from membench.statistics.shares import share_ci
from membench.statistics.uneven import parts_ci
from membench.store.summary import _plain
from membench.views import ratio_of_parts


def stored(parts: list[float], wholes: list[float]) -> dict[str, Any]:
    """As a result has it."""
    names = [f"c{k}" for k in range(len(parts))]
    found = ratio_of_parts(dict(zip(names, parts, strict=True)), dict(zip(names, wholes, strict=True)))
    assert found is not None
    return _plain(found)


def test_one_question_of_twenty_contexts_is_one_and_four_are_four() -> None:
    alone = parts_ci([stored([1.0] + [0.0] * 19, [1.0] + [0.0] * 19)])
    assert alone is not None
    assert (alone.value, alone.low, alone.high) == (1.0, None, None)
    four = parts_ci([stored([0.0] * 20, [1.0] * 4 + [0.0] * 16)])
    assert four is not None
    assert four == pytest.approx(share_ci([[0.0] * 4]))
    assert four.high is not None
    assert four.high > 0.6


def test_where_all_have_the_same_it_is_the_interval_of_a_share() -> None:
    right = [1.0, 0.0, 0.5, 1.0, 0.0, 0.5, 0.5, 1.0]
    found = parts_ci([stored([2 * x for x in right], [2.0] * 8)])
    assert found == pytest.approx(share_ci([right]), abs=1e-5)


def test_seeds_are_pooled_and_what_no_seed_has_tells_nothing() -> None:
    seeds = [stored([1.0, 0.0, 0.0, 0.0], [2.0, 2.0, 0.0, 0.0]), stored([0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0])]
    found = parts_ci(seeds)
    assert found is not None
    assert found.value == pytest.approx(2 / 6)
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low < 2 / 6 < found.high <= 1


def test_it_covers() -> None:
    """Twelve contexts, of which each has 0 to 3 that a part of 0.7 is taken of: at least 93 of 100 intervals hold."""
    rng = random.Random(5)
    held = tried = 0
    for _ in range(600):
        wholes = [float(rng.choice((0, 0, 1, 2, 3))) for _ in range(12)]
        parts = [float(sum(rng.random() < 0.7 for _ in range(int(whole)))) for whole in wholes]
        if sum(map(bool, wholes)) > 4:
            found = parts_ci([stored(parts, wholes)])
            assert found is not None
            assert found.low is not None
            assert found.high is not None
            tried, held = tried + 1, held + (found.low <= 0.7 <= found.high)
    assert held / tried > 0.93
