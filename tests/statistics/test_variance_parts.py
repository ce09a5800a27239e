"""Variance components of simulated scores come back, and the allocation is the cheapest way to a small error."""

import numpy as np
import pytest
from numpy.typing import NDArray

from membench.statistics.variance_parts import Parts, allocate, parts

KNOWN = Parts(context=0.04, question=0.16, seed=0.01, seed_context=0.02, rest=0.05)


def simulated(rng: np.random.Generator, seeds: int, contexts: int) -> list[NDArray[np.float64]]:
    """Scores with KNOWN's parts; contexts have 4 to 9 questions."""

    def noise(variance: float | None, *shape: int) -> NDArray[np.float64]:
        return rng.normal(0, np.sqrt(variance or 0.0), shape)

    by_seed = noise(KNOWN.seed, seeds, 1)
    return [
        noise(KNOWN.context, 1, 1)
        + noise(KNOWN.question, 1, n)
        + by_seed
        + noise(KNOWN.seed_context, seeds, 1)
        + noise(KNOWN.rest, seeds, n)
        for n in rng.integers(4, 10, contexts)
    ]


def test_known_parts_come_back() -> None:
    """Means of 300 estimates, each from 4 seeds and 30 contexts of unequal size."""
    rng = np.random.default_rng(5)
    found = [parts(simulated(rng, 4, 30)) for _ in range(300)]
    for name in ("context", "question", "seed", "seed_context", "rest"):
        mean = np.mean([getattr(one, name) for one in found])
        assert mean == pytest.approx(getattr(KNOWN, name), rel=0.1), name


def test_error_is_that_of_the_mean() -> None:
    """The spread of simulated means is what the parts foretell."""
    rng = np.random.default_rng(6)
    means = [np.mean([np.mean(c) for c in simulated(rng, 3, 12)]) for _ in range(1500)]
    questions = 1 / np.mean([1 / n for n in range(4, 10)])
    assert np.std(means) == pytest.approx(_error(float(questions)), rel=0.06)


def _error(questions: float) -> float:
    """KNOWN.error(12, questions, 3) for a number of questions that need not be whole."""
    by_seed = KNOWN.seed or 0.0
    both = KNOWN.seed_context or 0.0
    within = KNOWN.question / (12 * questions) + KNOWN.rest / (36 * questions)
    return float(np.sqrt(KNOWN.context / 12 + by_seed / 3 + both / 36 + within))


def test_one_seed_tells_contexts_from_questions_and_nothing_of_seeds() -> None:
    """What seeds add to a context counts as the context's, the rest as the question's."""
    rng = np.random.default_rng(7)
    found = [parts(simulated(rng, 1, 40)) for _ in range(300)]
    assert found[0].seed is None
    assert found[0].seed_context is None
    assert np.mean([one.context for one in found]) == pytest.approx(0.06, rel=0.12)
    assert np.mean([one.question for one in found]) == pytest.approx(0.21, rel=0.05)


def test_allocation_has_the_least_error_of_all_that_fit() -> None:
    """Against every allocation within the time."""
    best = allocate(KNOWN, 3600, write=30, question=1, questions=8)
    assert best is not None
    assert best.seconds <= 3600
    errors = [
        KNOWN.error(contexts, questions, seeds)
        for seeds in range(3, 40)
        for questions in range(1, 9)
        for contexts in range(2, 60)
        if seeds * contexts * (30 + questions) <= 3600
    ]
    assert best.error == pytest.approx(min(errors))


def test_allocation_follows_the_parts() -> None:
    """Noise of seeds asks for seeds, noise of questions for questions; few contexts leave time for seeds."""
    seeds = allocate(Parts(0.0, 0.01, 0.1, 0.0, 0.0), 3600, 30, 1, 8)
    questions = allocate(Parts(0.0, 0.2, 0.0, 0.0, 0.0), 3600, 30, 1, 8)
    assert seeds is not None
    assert questions is not None
    assert seeds.seeds > 10
    assert questions.seeds == 3
    assert questions.questions == 8
    few = allocate(KNOWN, 3600, 30, 1, 8, contexts=5)
    assert few is not None
    assert few.contexts <= 5
    assert few.seeds > 3
    assert allocate(KNOWN, 60, 30, 1, 8) is None
