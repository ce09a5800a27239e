"""What the error of a mean is made of (contexts, questions, seeds), and how to spend time so that it becomes least.

A score is y[s, c, q] = mean + context c + question q of it + seed s + seed × context + the rest, all of them random.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Parts:
    """Variances. From one seed alone `seed` and `seed_context` are None, and what they add stands in the others."""

    context: float
    question: float
    seed: float | None
    seed_context: float | None
    rest: float

    def error(self, contexts: int, questions: int, seeds: int) -> float:
        """The standard error of a mean over so many contexts, questions a context, and seeds."""
        by_context = self.context / contexts + self.question / (contexts * questions)
        by_seed = (self.seed or 0.0) / seeds + (self.seed_context or 0.0) / (seeds * contexts)
        return math.sqrt(by_context + by_seed + self.rest / (seeds * contexts * questions))


def parts(scores: Sequence[NDArray[np.float64]]) -> Parts:
    """From the scores of each context, [seeds, questions] each; analysis of variance, its mean squares solved.

    Contexts may have different numbers of questions. A part that comes out negative is 0. With one seed, `question`
    holds the rest too, which is then 0. Two contexts are needed, and one of them with two questions.
    """
    seeds = scores[0].shape[0]
    sizes = np.array([context.shape[1] for context in scores], dtype=float)
    total, count = sizes.sum(), len(sizes)
    means = np.stack([context.mean(1) for context in scores], axis=1)  # [seeds, contexts]
    by_seed = means @ sizes / total
    by_context = means.mean(0)
    middle = float(by_seed.mean())
    within = sum(float(((context.mean(0) - context.mean()) ** 2).sum()) for context in scores)
    ms_question = seeds * within / (total - count)
    ms_context = seeds * float((sizes * (by_context - middle) ** 2).sum()) / (count - 1)
    even = (total - (sizes**2).sum() / total) / (count - 1)  # questions a context, as this design counts them
    if seeds == 1:
        return Parts(max(0.0, (ms_context - ms_question) / even), ms_question, None, None, 0.0)
    ms_seed = total * float(((by_seed - middle) ** 2).sum()) / (seeds - 1)
    apart = means - by_context - by_seed[:, None] + middle
    ms_both = float((apart**2 * sizes).sum()) / ((seeds - 1) * (count - 1))
    rest = sum(_remainder(context) for context in scores) / ((seeds - 1) * (total - count))
    both = max(0.0, (ms_both - rest) / even)
    return Parts(
        max(0.0, (ms_context - ms_question - even * both) / (seeds * even)),
        max(0.0, (ms_question - rest) / seeds),
        max(0.0, (ms_seed - rest - both * float((sizes**2).sum()) / total) / total),
        both,
        rest,
    )


def _remainder(context: NDArray[np.float64]) -> float:
    """The squares of what neither the seed nor the question explains within a context [seeds, questions]."""
    left = context - context.mean(0) - context.mean(1, keepdims=True) + context.mean()
    return float((left**2).sum())


@dataclass(frozen=True)
class Allocation:
    """How many contexts, questions a context and seeds to play, the standard error of the mean, and the seconds."""

    contexts: int
    questions: int
    seeds: int
    error: float
    seconds: float


def allocate(
    found: Parts,
    seconds: float,
    write: float,
    question: float,
    questions: int,
    fewest_seeds: int = 3,
    contexts: int = 0,
) -> Allocation | None:
    """The allocation with the least error whose writes and questions cost at most `seconds`; None if none fits.

    `write` and `question` are the seconds of one each; a context has at most `questions`, the data have at most
    `contexts` (0: any number), and fewer than `fewest_seeds` seeds would not tell the noise of seeds.
    """
    best: Allocation | None = None
    for asked in range(1, questions + 1):
        each = write + asked * question
        seeds = fewest_seeds
        while (fit := int(seconds / (seeds * each))) >= 2:
            used = min(fit, contexts) if contexts else fit
            one = Allocation(used, asked, seeds, found.error(used, asked, seeds), seeds * used * each)
            if best is None or one.error < best.error:
                best = one
            seeds += 1
    return best
