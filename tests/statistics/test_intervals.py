"""Intervals and tests against known values and small simulations."""

from __future__ import annotations

import random

import pytest

from membench.statistics.intervals import mean_ci, two_way_ci, unpaired_ci
from membench.statistics.ratios import ratio_ci, recovered_ci


def test_mean_interval_of_a_known_sample() -> None:
    found = mean_ci([1, 2, 3, 4, 5])
    half = 2.776445 * (2.5 / 5) ** 0.5  # t(4) at 97.5 %
    assert found == pytest.approx((3.0, 3.0 - half, 3.0 + half), abs=1e-5)
    assert mean_ci([0.4]) == (0.4, None, None)


def test_two_way_interval_widens_with_the_noise_of_seeds() -> None:
    calm = two_way_ci([[0.2, 0.4, 0.6], [0.2, 0.4, 0.6]])
    noisy = two_way_ci([[0.1, 0.3, 0.5], [0.3, 0.5, 0.7]])
    assert calm.value == pytest.approx(noisy.value)
    assert calm.low is not None
    assert noisy.low is not None
    assert noisy.low < calm.low
    assert two_way_ci([[0.2, 0.4, 0.6]]) == mean_ci([0.2, 0.4, 0.6])
    assert two_way_ci([[0.5, 0.5], [0.5, 0.5]]) == (0.5, 0.5, 0.5)


def test_two_way_interval_covers_what_it_says() -> None:
    rng = random.Random(1)
    hits = 0
    for _ in range(400):
        contexts = [rng.gauss(0, 1) for _ in range(12)]
        seeds = [rng.gauss(0, 0.5) for _ in range(4)]
        found = two_way_ci([[0.3 + c + s for c in contexts] for s in seeds])
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= 0.3 <= found.high
    assert 0.92 <= hits / 400 <= 0.985


def test_ratio_of_sums_with_jackknife() -> None:
    exact = ratio_ci([0.4, 0.3, 0.5], [0.8, 0.6, 1.0])
    assert exact == pytest.approx((0.5, 0.5, 0.5))
    found = ratio_ci([0.5, 0.1, 0.9, 0.4], [0.6, 0.7, 0.8, 0.9])
    assert found is not None
    assert found.value == pytest.approx(1.9 / 3.0)
    without = [1.4 / 2.4, 1.8 / 2.3, 1.0 / 2.2, 1.5 / 2.1]
    mean = sum(without) / 4
    error = (3 / 4 * sum((w - mean) ** 2 for w in without)) ** 0.5
    assert found.high == pytest.approx(found.value + 3.182446 * error, abs=1e-5)


def test_a_ratio_of_several_seeds_is_as_wide_as_its_numerator_where_the_denominator_is_one() -> None:
    scores = [[0.2, 0.4, 0.6, 0.1], [0.5, 0.6, 0.9, 0.4], [0.8, 0.9, 1.1, 0.9]]
    found, alone = recovered_ci(scores, [[1.0] * 4] * 3), two_way_ci(scores)
    assert found is not None
    assert found.value == pytest.approx(alone.value)
    assert (found.low, found.high) == pytest.approx((alone.low, alone.high)), "the farther of Wilson's and Student's"
    more = [[score + 1 for score in row] for row in scores]
    assert recovered_ci(more, [[1.0] * 4] * 3) == pytest.approx(two_way_ci(more)), "beyond 1 it is no share"
    assert recovered_ci(more[:1], [[1.0, 1.1, 1.0, 0.9]]) == ratio_ci(more[0], [1.0, 1.1, 1.0, 0.9])
    assert recovered_ci(scores, [[0.1, -0.1, 0.0, 0.0]] * 3) is None


@pytest.mark.parametrize("contexts", [12, 40])
def test_a_ratio_of_several_seeds_covers_what_it_says(contexts: int) -> None:
    """Seed noise of a third of the ratio; without it in the interval, at most half of the draws are covered."""
    rng, hits = random.Random(2), 0
    for _ in range(400):
        whole = [rng.lognormvariate(0, 0.4) for _ in range(contexts)]
        own = [0.5 * d + rng.gauss(0, 0.1) for d in whole]
        seeds = [rng.gauss(0, 0.15) for _ in range(4)]
        found = recovered_ci([[a + s * d for a, d in zip(own, whole, strict=True)] for s in seeds], [whole] * 4)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= 0.5 <= found.high
    assert 0.92 <= hits / 400 <= 0.985


def test_an_unpaired_difference_is_welchs_and_adds_the_noise_of_seeds() -> None:
    from scipy.stats import ttest_ind

    one, other = [0.7, 0.9, 0.4, 0.8, 0.6], [0.1, 0.3, 0.0]
    ends = ttest_ind(one, other, equal_var=False).confidence_interval()
    assert unpaired_ci([one], [other]) == pytest.approx((0.68 - 0.4 / 3, ends.low, ends.high), abs=1e-3)
    raised = [[score + 0.2 for score in one], [score - 0.2 for score in one]]
    wide = unpaired_ci(raised, [other, other])
    assert wide.low is not None
    assert wide.low < ends.low
    assert unpaired_ci([one], [[0.1]]).low is None


@pytest.mark.parametrize("denominators", [[0.1, -0.1, 0.05, -0.02], [0.0, 0.0, 0.0, 0.0], [0.5]])
def test_no_ratio_where_the_denominator_is_not_resolved(denominators: list[float]) -> None:
    assert ratio_ci([0.1] * len(denominators), denominators) is None
