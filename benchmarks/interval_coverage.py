"""How often 95 % intervals of shares and of ratios hold the truth, by simulation.

Prints the tables that `make statistics` writes into docs/statistics.md, with 2000 draws and seed 1.

    python benchmarks/interval_coverage.py [DRAWS] [SEED]

Shares: `questions` binary scores on each of n contexts, whose own probabilities are Beta distributed around the truth
with the intra-class correlation named. Ratios: recovered answers among those that the reference has right. "part": the
method can only be right where the reference is. "apart": it is right or wrong independently of the reference, and a
floor of 0.02 is taken off both. Kept: three seeds write 20 contexts in orders of their own; of the answers about the
first half that were right just after writing, how many are in the end. In brackets: the shares of draws whose interval
lies wholly below, and above the truth.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from membench.statistics.intervals import Interval, mean_ci, two_way_ci
from membench.statistics.ratios import ratio_ci, recovered_ci
from membench.statistics.shares import share_ci
from membench.statistics.uneven import rectangular

TRUTHS = (0.1, 0.5, 0.9)
SHARES = (0.02, *TRUTHS, 0.98)
DESIGNS = ((5, 16, 0.1), (10, 1, 1), (10, 16, 0.3), (20, 1, 1), (20, 16, 0.1), (50, 4, 0.1))
RIGHT = 0.7  # the reference's share
FLOOR = 0.02
KEPT = (0.05, 0.3, 0.6)  # by a seed without noise of its own, in a context without any
CONTEXTS, QUESTIONS, SEEDS = 20, 4, 3
CONTEXT_SD = 0.7  # of logits


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


def kept(rng: Generator, typical: float, noise: float) -> list[dict[str, float]]:
    """By seed, the linearised values of its first half: right in the end over right just after writing."""
    own = rng.normal(0, CONTEXT_SD, CONTEXTS)
    out = []
    for _ in range(SEEDS):
        fresh = rng.binomial(QUESTIONS, _logistic(1 + own))
        logits = np.log(typical / (1 - typical)) + rng.normal(0, noise) + rng.normal(0, CONTEXT_SD, CONTEXTS)
        late = rng.binomial(fresh, _logistic(logits))
        half = rng.permutation(CONTEXTS)[: CONTEXTS // 2]
        ratio = late[half].sum() / fresh[half].sum()
        out.append({str(c): ratio + (late[c] - ratio * fresh[c]) / fresh[half].mean() for c in half})
    return out


def _logistic(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-logits))


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


def halves(draws: int, seed: int) -> Iterator[str]:
    yield "| kept: typical part, sd of seeds | interval | coverage | half its width |"
    yield "| :-- | :-- | --: | --: |"
    for typical in KEPT:
        for noise in (0.0, 0.4):
            logits = np.random.default_rng(seed).normal(0, np.hypot(noise, CONTEXT_SD), 400_000)
            truth = float(_logistic(np.log(typical / (1 - typical)) + logits).mean())
            for name, interval in (("texts and seeds", _together), ("seeds alone", _apart)):
                rng = np.random.default_rng([seed, round(100 * typical), round(10 * noise)])
                found = [interval(kept(rng, typical, noise)) for _ in range(draws)]
                width = np.mean([(min(1, i.high or 0) - max(0, i.low or 0)) / 2 for i in found])
                told = covered(iter(found).__next__, truth, draws)
                yield f"| {typical}, {noise} | {name} | {told} | {width:.2f} |"


def _together(seeds: Sequence[dict[str, float]]) -> Interval:
    return two_way_ci(rectangular(seeds))


def _apart(seeds: Sequence[dict[str, float]]) -> Interval:
    return mean_ci([float(np.mean(list(values.values()))) for values in seeds])


def table(draws: int = 2000, seed: int = 1) -> str:
    """All tables as markdown."""
    return "\n".join((*shares(draws, seed), "", *ratios(draws, seed), "", *halves(draws, seed)))


if __name__ == "__main__":
    print(table(*map(int, sys.argv[1:])))
