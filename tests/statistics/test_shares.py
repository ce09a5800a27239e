"""Intervals of shares and of what was recovered: their coverage, and what they say at the ends."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from membench.statistics.intervals import Interval, two_way_ci
from membench.statistics.ratios import ratio_ci, recovered_ci
from membench.statistics.shares import share_ci

DRAWS = 300
LEAST = 0.93 - 2 * (0.93 * 0.07 / DRAWS) ** 0.5  # two standard errors of so many draws below


def coverage(draw: Callable[[np.random.Generator], Interval | None], truth: float) -> float:
    rng = np.random.default_rng(7)
    found = [i for i in (draw(rng) for _ in range(DRAWS)) if i is not None]
    assert len(found) > DRAWS // 2
    return sum(i.low is not None and i.high is not None and i.low <= truth <= i.high for i in found) / len(found)


@pytest.mark.parametrize("truth", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("contexts", [10, 29, 30, 50])
@pytest.mark.parametrize("questions", [1, 4])
@pytest.mark.parametrize("apart", [False, True])
def test_what_was_recovered_is_covered_with_binary_scores(
    contexts: int, truth: float, questions: int, apart: bool
) -> None:
    def draw(rng: np.random.Generator) -> Interval | None:
        right = rng.binomial(questions, 0.7, contexts)
        mine = rng.binomial(questions, 0.7 * truth, contexts) if apart else rng.binomial(right, truth)
        return recovered_ci([(mine / questions).tolist()], [(right / questions).tolist()])

    assert coverage(draw, truth) >= LEAST


@pytest.mark.parametrize("truth", [0.02, 0.1, 0.5, 0.9, 0.98])
@pytest.mark.parametrize("contexts", [10, 20, 50])
def test_a_share_is_covered_where_whole_contexts_are_right_or_wrong(contexts: int, truth: float) -> None:
    def draw(rng: np.random.Generator) -> Interval:
        return share_ci([(rng.random(contexts) < truth).astype(float).tolist()])

    assert coverage(draw, truth) >= LEAST


def test_none_of_n_has_an_upper_end_and_all_of_n_a_lower_one() -> None:
    none, every = share_ci([[0.0] * 20]), share_ci([[1.0] * 20])
    assert none == pytest.approx((0.0, 0.0, 0.18), abs=0.005)  # t²/(n + t²) with t(19) = 2.093; Wilson has 0.16
    assert every == pytest.approx((1.0, 0.82, 1.0), abs=0.005)
    recovered = recovered_ci([[0.0] * 20], [[1.0] * 20])
    assert recovered == pytest.approx(none)


def test_a_share_never_leaves_its_range_and_holds_its_value() -> None:
    rng = np.random.default_rng(1)
    for _ in range(300):
        seeds, contexts = int(rng.integers(1, 4)), int(rng.integers(2, 30))
        matrix = rng.beta(0.3, 0.3, (seeds, contexts)).round(1).tolist()
        found = share_ci(matrix)
        assert found.low is not None
        assert found.high is not None
        assert 0 <= found.low <= found.value + 1e-12
        assert found.value - 1e-12 <= found.high <= 1


def test_with_many_even_contexts_it_is_students_interval() -> None:
    values = [0.5 + 0.02 * ((7 * k) % 5 - 2) for k in range(200)]
    assert share_ci([values]) == pytest.approx(two_way_ci([values]), abs=1e-4)


def test_a_share_that_is_a_ratio_of_sums_stays_within_its_range() -> None:
    """Its linearised values leave [0, 1], the share cannot."""
    for values in ([0.2, 1.4, 0.9, 0.3], [-0.1, 0.3, -0.1, 0.0], [1.1, 1.0, 0.6, 1.1]):
        found = share_ci([values])
        assert found.low is not None
        assert found.high is not None
        assert 0 <= found.low < found.value < found.high <= 1


def test_what_is_no_share_has_students_interval() -> None:
    values = [[1.2, 1.4, 0.9, 1.3]]
    assert share_ci(values) == two_way_ci(values)
    assert share_ci([[0.5, 0.5, 0.5]]) == (0.5, 0.5, 0.5)
    assert share_ci([[0.4]]) == (0.4, None, None)
    more = [1.2, 1.4, 0.9, 1.3]
    assert recovered_ci([more], [[1.0, 1.1, 1.0, 0.9]]) == ratio_ci(more, [1.0, 1.1, 1.0, 0.9])
