"""The half-life of retention: known sequences, its interval, and what lies beyond the contexts written."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from membench.statistics.half_life import half_life

ZERO = {f"c{i}": 0.0 for i in range(45)}


def summary(score: Callable[[int, int], float], count: int) -> Mapping[str, Any]:
    """As a result has it; `score` is of (age, context), 0 before the write."""
    order = [f"c{i}" for i in range(count)]
    flat = [score(t - i, i) if t >= i else 0.0 for t in range(count) for i in range(count)]
    return {
        "matrix:contains": {"value": 0.0, "curve": flat},
        "forgetting:contains": {"value": 0.0, "contexts": dict.fromkeys(order[:-1], 0.0)},
        "forward:contains": {"value": 0.0, "contexts": dict.fromkeys(order[1:], 0.0)},
    }


def test_of_a_memory_that_halves_every_second_write() -> None:
    found = half_life([summary(lambda age, _: 0.5 ** (age // 2), 8)], ZERO)
    assert found is not None
    assert (found.value, found.low, found.high, found.by) == (2, 2, 2, "jackknife-t")
    assert str(found) == "2 [2, 2]"


def test_the_floor_counts_as_nothing_left() -> None:
    """From 1 down to 0.6, with a floor of 0.5: a fifth of what was written is left."""
    made = summary(lambda age, _: 1.0 if age == 0 else 0.6, 8)
    assert str(half_life([made], ZERO)) == ">6"  # of age 7 there is one context, which has no interval
    found = half_life([made], {f"c{i}": 0.5 for i in range(8)})
    assert found is not None
    assert found.value == 1


@pytest.mark.parametrize(("questions", "floor"), [(3, 0), (9, 0), (12, 1), (19, 3)])
def test_half_is_half_however_stored_scores_were_rounded(questions: int, floor: int) -> None:
    """Two questions above the floor right, then one of them: a matrix that is stored has six decimals."""
    own, late, nothing = (round((floor + right) / questions, 6) for right in (2, 1, 0))
    found = half_life([summary(lambda age, _: (own, late)[age > 0], 8)], dict.fromkeys(ZERO, nothing))
    assert found is not None
    assert found.value == 1


def test_without_a_floor_there_is_none() -> None:
    made = summary(lambda age, _: 0.5 ** (age // 2), 8)
    assert half_life([made], {}) is None
    assert half_life([made], {f"c{i}": 0.0 for i in range(7)}) is None


def test_an_end_beyond_the_contexts_written_is_said_to_be() -> None:
    rng = random.Random(0)
    noisy = [[rng.random() for _ in range(12)] for _ in range(12)]
    found = half_life([summary(lambda age, i: 1.0 if age == 0 else float(noisy[i][age] < 0.55), 12)], ZERO)
    assert found is not None
    assert found.value is not None
    assert found.low is not None
    assert found.low <= found.value
    assert found.high is None or found.high >= found.value
    kept = half_life([summary(lambda age, _: 1.0, 12)], ZERO)
    assert kept is not None
    assert (kept.value, kept.low, kept.high, kept.seen) == (None, 6, None, 10), "of six contexts all"


def test_its_interval_covers() -> None:
    """Each context is lost at an age of its own, half of them by age 6: the interval has 6 in it, most of the time."""
    hits = 0
    for seed in range(12):
        rng = random.Random(seed)
        lost = [rng.randint(1, 11) for _ in range(45)]
        found = half_life([summary(lambda age, i, lost=lost: float(age < lost[i]), 45)], ZERO)  # type: ignore[misc]
        assert found is not None
        assert found.by == "jackknife-t"
        hits += (found.low or 99) <= 6 <= (found.high or 99)
    assert hits >= 10


def test_nothing_where_nothing_was_learnt_or_there_is_no_sequence() -> None:
    assert half_life([summary(lambda age, _: 0.0, 6)], ZERO) is None
    assert half_life([{"contains/all": {"value": 1.0}}], ZERO) is None
    assert half_life([], ZERO) is None


def test_seeds_are_averaged_by_context_and_age() -> None:
    fast, slow = summary(lambda age, _: 0.25**age, 8), summary(lambda age, _: 1.0 if age < 2 else 0.0, 8)
    found = half_life([fast, slow], ZERO)
    assert found is not None
    assert found.value == 2  # 0.625 at age 1


def test_seeds_that_differ_widen_the_ends() -> None:
    """At age 1, 0.3 and 0.6 are left in two seeds, alike in all contexts: over contexts alone nothing varies."""
    twins = [summary(lambda age, _, left=left: 1.0 if age == 0 else left, 8) for left in (0.3, 0.6)]  # type: ignore[misc]
    found = half_life(twins, ZERO)
    assert found is not None
    assert (found.value, found.low, found.high, found.by) == (1, 1, None, "delta-t")


def test_the_same_seed_twice_claims_no_more_than_once() -> None:
    """Late ages are reached by few contexts, of two seeds as of one."""
    rng = random.Random(5)
    made = summary(lambda age, _: float(rng.random() < 0.95**age), 20)
    once, twice = half_life([made], ZERO), half_life([made, made], ZERO)
    assert once is not None
    assert twice is not None
    assert (twice.value, twice.seen) == (once.value, once.seen)
    assert (once.low or 99) - 1 <= (twice.low or 99) <= (once.low or 99) + 1
