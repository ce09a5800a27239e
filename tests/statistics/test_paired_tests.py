"""Tests of differences against known values, and their error rates by a small simulation through the table itself."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy import stats

from membench.statistics.paired_tests import ALPHA, contrasts, holm, letters, sign_flip
from membench.views import ratio_of_sums

RNG = np.random.default_rng(5)


def test_one_seed_is_students_paired_t_test() -> None:
    a, b = RNG.random((1, 9)), RNG.random((1, 9)) + 0.2
    found = contrasts([a, b], [(0, 1)], flips=[0])
    known = stats.ttest_rel(a[0], b[0])
    low, high = known.confidence_interval(0.95)
    assert found.p_t[0] == pytest.approx(known.pvalue, rel=1e-6)
    assert (found.low[0], found.high[0]) == pytest.approx((low, high))


def test_sign_flips_are_exact_where_few_and_scipys_where_many() -> None:
    few = np.array([[0.8, 0.6, 0.6, 0.6, 0.6, 0.8], [0.1, -0.1, 0.1, -0.1, 0.1, -0.1]])
    assert sign_flip(few) == pytest.approx([2 / 64, 1.0])
    many = RNG.normal(0.2, 1, 30)
    drawn = stats.permutation_test(
        (many,), np.mean, permutation_type="samples", n_resamples=20_000, rng=np.random.default_rng(1)
    )
    assert sign_flip(many[None])[0] == pytest.approx(drawn.pvalue, abs=0.015)
    assert sign_flip(many[None]) == pytest.approx(sign_flip(many[None]))  # the draws are seeded


def test_ratios_of_sums_that_do_not_differ_are_rarely_told_apart() -> None:
    """Two methods of one recall, dialogues of 1 to 5 items: claims stay near 5 % of 400 draws."""
    rng = np.random.default_rng(3)
    claims = 0
    for _ in range(400):
        items, ease = rng.integers(1, 6, 20), rng.normal(-1.4, 1, 20)
        samples = []
        for _method in range(2):
            hits = rng.binomial(items, 1 / (1 + np.exp(-ease - rng.normal(0, 0.7, 20))))
            made = ratio_of_sums(
                {f"d{k}": float(n) for k, n in enumerate(hits)}, {f"d{k}": float(n) for k, n in enumerate(items)}
            )
            assert made
            samples.append(np.array([list(made.contexts.values())]))
        claims += int(contrasts(samples, [(0, 1)]).p[0] <= ALPHA)
    assert claims <= 0.08 * 400


def test_five_contexts_resolve_nothing() -> None:
    found = contrasts([np.full((1, 5), 0.9) + RNG.random((1, 5)) / 99, np.full((1, 5), 0.1)], [(0, 1)])
    assert found.p_t[0] < 1e-6
    assert found.p[0] == pytest.approx(2 / 32)


def test_seeds_that_disagree_widen_the_interval_and_raise_p() -> None:
    contexts = RNG.normal(0, 0.1, 20)
    other = RNG.normal(0, 0.1, (1, 20))
    calm = contrasts([np.stack([contexts + 0.3] * 3), other], [(0, 1)])
    noisy = contrasts([np.stack([contexts + 0.3 + s for s in (-0.2, 0.0, 0.2)]), other], [(0, 1)])
    assert noisy.difference[0] == pytest.approx(calm.difference[0])
    assert noisy.high[0] - noisy.low[0] > 2 * (calm.high[0] - calm.low[0])
    assert noisy.p[0] > 0.05 > calm.p[0]


def test_equal_or_constant_scores_have_no_surprises() -> None:
    same, shifted = np.full((2, 8), 0.5), np.full((2, 8), 0.75)
    found = contrasts([same, same, shifted], [(0, 1), (0, 2)])
    assert found.p_t.tolist() == [1.0, 0.0]
    assert found.p[1] == pytest.approx(2 * 2 / 256)
    assert (found.low[1], found.high[1]) == (-0.25, -0.25)


def test_holm_by_hand() -> None:
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.9, 0.6])) == pytest.approx([1.0, 1.0])


def test_a_true_difference_of_the_mde_is_found_four_times_in_five() -> None:
    rng = np.random.default_rng(3)
    sizes = [contrasts([rng.normal(0, 1, (1, 25)), np.zeros((1, 25))], [(0, 1)]).mde[0] for _ in range(300)]
    effect = float(np.mean(sizes))
    found = [contrasts([rng.normal(effect, 1, (1, 25)), np.zeros((1, 25))], [(0, 1)]).p[0] for _ in range(300)]
    assert 0.74 < np.mean(np.array(found) <= 0.05) < 0.86


@pytest.mark.parametrize("contexts", [20, 50])
def test_so_is_one_where_scores_agree_and_one_more_context_could_speak_against_it(contexts: int) -> None:
    """The guard asks for more than Student's t does, and the minimum detectable effect says so."""
    rng = np.random.default_rng(5)
    even = np.full((1, contexts), 0.9)

    def other(effect: float) -> np.ndarray:
        return 0.9 - effect + rng.uniform(-0.3, 0.3, (1, contexts)).clip(effect - 0.9, 0.1 + effect)

    drawn = [contrasts([even, other(0.3)], [(0, 1)], shares=True).mde[0] for _ in range(100)]
    plain = [contrasts([even, other(0.3)], [(0, 1)]).mde[0] for _ in range(100)]
    effect = float(np.mean(drawn))
    assert effect > 1.2 * np.mean(plain)
    found = [contrasts([even, other(effect)], [(0, 1)], shares=True).p[0] for _ in range(300)]
    assert 0.6 < np.mean(np.array(found) <= 0.05) < 0.95, "80 % but for rounding at the ends of shares"


def test_where_no_difference_of_shares_would_be_resolved_there_is_no_least_one() -> None:
    few = np.array([[1.0, 0.0, 1.0, 0.0, 1.0, 0.0]])
    assert np.isnan(contrasts([np.full((1, 6), 0.9), few], [(0, 1)], shares=True).mde[0])


def test_letters() -> None:
    assert letters(3, [(0, 2)]) == ["a", "ab", "b"]
    assert letters(3, []) == ["a", "a", "a"]
    assert letters(3, list(itertools.combinations(range(3), 2))) == ["a", "b", "c"]


@pytest.mark.parametrize("seed", range(20))
def test_letters_are_shared_by_all_and_only_the_unresolved(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = list(itertools.combinations(range(7), 2))
    different = [pair for pair in pairs if rng.random() < 0.5]
    found = letters(7, different)
    assert [pair for pair in pairs if not set(found[pair[0]]) & set(found[pair[1]])] == different


@pytest.fixture(scope="module")
def simulation() -> ModuleType:
    """benchmarks/simulation.py, whose long run stands in docs/statistics.md."""
    path = Path(__file__).parents[2] / "benchmarks" / "simulation.py"
    spec = importlib.util.spec_from_file_location("simulation", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["simulation"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "design",
    [
        {"contexts": 8},
        {"contexts": 20},
        {"contexts": 20, "seeds": 3, "noise": 0.4},
        {"contexts": 50, "seeds": 3, "noise": 0.4, "trained": 1},
        {"contexts": 50, "noise": 0.4},
    ],
)
def test_the_table_claims_no_more_than_it_says(simulation: ModuleType, design: dict[str, float]) -> None:
    """300 draws at a true rate of 5 % exceed 8.5 % once in 300 times; a t-test on contexts alone claims up to 34 %."""
    assert simulation.claims(simulation.Design(**design), 300) <= 0.085


def test_the_table_finds_fifteen_points(simulation: ModuleType) -> None:
    for seeds, noise, least in ((1, 0.0, 0.9), (3, 0.2, 0.65)):
        design = simulation.Design(50, seeds, noise, shift=simulation.SHIFT)
        assert simulation.claims(design, 100) >= least


def test_the_table_believes_no_method_that_fails_rarely_and_wholly(simulation: ModuleType) -> None:
    for contexts, often in ((10, 0.9), (20, 0.95)):
        assert simulation.claims(simulation.Design(contexts, whole=often), 100) <= 0.05


def test_two_trained_methods_of_unequal_noise_are_rarely_told_apart(simulation: ModuleType) -> None:
    assert simulation.claims(simulation.Design(50, 3, 1.0, quiet=0.1), 150) <= 0.1


def test_one_more_context_speaks_against_a_method_without_spread() -> None:
    sure, usual = np.ones((1, 10)), np.array([[0.9, 0.8, 1.0, 0.9, 0.9, 0.8, 1.0, 0.9, 0.9, 0.9]])
    assert contrasts([sure, usual], [(0, 1)]).p[0] < 0.05
    assert contrasts([sure, usual], [(0, 1)], shares=True).p[0] > 0.05
    low = usual / 9
    assert contrasts([sure, low], [(0, 1)], shares=True).p[0] < 0.05  # far enough apart for any one context
    spread = np.linspace(0.1, 0.9, 10)[None]
    plain, guarded = (contrasts([spread + 0.05, spread], [(0, 1)], shares=shares) for shares in (False, True))
    assert plain.p[0] == guarded.p[0]
