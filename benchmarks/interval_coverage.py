"""How often 95 % intervals of shares and of ratios hold the truth, by simulation.

Prints the tables that `make statistics` writes into docs/statistics.md, with 2000 draws and seed 1.

    python benchmarks/interval_coverage.py [DRAWS] [SEED]

Shares: `questions` binary scores on each of n contexts, whose own probabilities are Beta distributed around the truth
with the intra-class correlation named. Ratios: recovered answers among those that the reference has right. "part": the
method can only be right where the reference is. "apart": it is right or wrong independently of the reference, and a
floor of 0.02 is taken off both. In brackets: the shares of draws whose interval lies wholly below, and above the truth.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import numpy as np
from numpy.random import Generator

from membench.statistics.intervals import Interval, mean_ci
from membench.statistics.ratios import ratio_ci, recovered_ci
from membench.statistics.shares import share_ci

TRUTHS = (0.1, 0.5, 0.9)
SHARES = (0.02, *TRUTHS, 0.98)
DESIGNS = ((5, 16, 0.1), (10, 1, 1), (10, 16, 0.3), (20, 1, 1), (20, 16, 0.1), (50, 4, 0.1))
RIGHT = 0.7  # the reference's share
FLOOR = 0.02


def share(rng: Generator, contexts: int, questions: int, truth: float, correlation: float) -> list[float]:
    """The share of right answers of each context."""
    if correlation == 1:
        return (rng.random(contexts) < truth).astype(float).tolist()  # type: ignore[no-any-return]
    spread = (1 - correlation) / correlation
    own = rng.beta(truth * spread, (1 - truth) * spread, contexts)
    return (rng.binomial(questions, own) / questions).tolist()  # type: ignore[no-any-return]


def part(rng: Generator, contexts: int, questions: int, truth: float) -> tuple[list[float], list[float]]:
    """What the method has of what the reference has right, and that."""
    right = rng.binomial(questions, RIGHT, contexts)
    return (rng.binomial(right, truth) / questions).tolist(), (right / questions).tolist()


def apart(rng: Generator, contexts: int, questions: int, truth: float) -> tuple[list[float], list[float]]:
    """Scores of the method and of the reference, both less the floor's."""
    floor = rng.binomial(questions, FLOOR, contexts)
    mine = rng.binomial(questions, FLOOR + truth * RIGHT, contexts) - floor
    whole = rng.binomial(questions, FLOOR + RIGHT, contexts) - floor
    return (mine / questions).tolist(), (whole / questions).tolist()


def covered(draw: Callable[[], Interval | None], truth: float, draws: int) -> str:
    """ "0.95 (0.02 below, 0.03 above)" over the draws that have an interval."""
    found = [i for i in (draw() for _ in range(draws)) if i is not None and i.low is not None and i.high is not None]
    below = sum(i.high < truth - 1e-9 for i in found if i.high is not None) / len(found)
    above = sum(i.low > truth + 1e-9 for i in found if i.low is not None) / len(found)
    return f"{1 - below - above:.3f} ({below:.3f}, {above:.3f})"


def shares(draws: int, seed: int) -> Iterator[str]:
    yield "| shares: contexts × questions, correlation | interval | " + " | ".join(map(str, SHARES)) + " |"
    yield "| :-- | :-- |" + " --: |" * len(SHARES)
    for contexts, questions, correlation in DESIGNS:
        for name, interval in (("Wilson", lambda x: share_ci([x])), ("Student", mean_ci)):
            cells = []
            for truth in SHARES:
                rng = np.random.default_rng([seed, contexts, questions, round(100 * truth)])
                draw = lambda: interval(share(rng, contexts, questions, truth, correlation))  # noqa: B023, E731
                cells.append(covered(draw, truth, draws))
            yield f"| {contexts} × {questions}, {correlation} | {name} | {' | '.join(cells)} |"


def ratios(draws: int, seed: int) -> Iterator[str]:
    yield "| ratios: contexts × questions | interval | " + " | ".join(map(str, TRUTHS)) + " |"
    yield "| :-- | :-- |" + " --: |" * len(TRUTHS)
    for make in (part, apart):
        for contexts, questions in ((10, 1), (10, 4), (29, 1), (30, 1), (30, 4), (50, 1), (50, 4)):
            for name, interval in (("recovered", lambda a, d: recovered_ci([a], [d])), ("jackknife", ratio_ci)):
                cells = []
                for truth in TRUTHS:
                    rng = np.random.default_rng([seed, contexts, questions, round(100 * truth)])
                    draw = lambda: interval(*make(rng, contexts, questions, truth))  # noqa: B023, E731
                    cells.append(covered(draw, truth, draws))
                yield f"| {make.__name__}, {contexts} × {questions} | {name} | {' | '.join(cells)} |"


def table(draws: int = 2000, seed: int = 1) -> str:
    """Both tables as markdown."""
    return "\n".join((*shares(draws, seed), "", *ratios(draws, seed)))


if __name__ == "__main__":
    print(table(*map(int, sys.argv[1:])))
