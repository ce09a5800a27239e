"""Differences between methods: paired by question, clustered by context, with the noise of seeds.

A method's scores are a seeds × contexts matrix; each entry is the mean over the same questions for all methods, so that
differences of entries are paired by question. Contexts and seeds are both random: the variance of a difference is
A + B = s²_context/G + (s²_seed/S of one + s²_seed/S of the other). The critical value weighs Student's quantiles of the
two parts' degrees of freedom by the parts (Cochran and Cox 1950): Satterthwaite's single number of them claims up to
7 % where 5 % are meant if there are three seeds (docs/statistics.md). The seeds' part has Welch's degrees of freedom,
since two trained methods need not be equally noisy. Up to three tests must all reject: this one, sign flips of the
contexts' differences, which protect where contexts are few, and of shares the one with a context more
(membench.statistics.one_more). Several comparisons are a family (Holm 1979).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from membench.statistics import one_more

Array = NDArray[np.float64]

ALPHA = 0.05  # of a whole family of comparisons
POWER = 0.8  # that a minimum detectable effect is found with
EXACT_UP_TO = 14  # contexts; above, sign flips are drawn at random
DRAWS = 10_000  # random sign patterns; more where the family is large, so that the smallest p can survive Holm
BLOCK = 1 << 22  # numbers held at once while flipping


@dataclass(frozen=True)
class Contrasts:
    """One number a pair in each array: the difference, its 95 % interval, p-values, minimum detectable effect.

    `p_t` and `p_flip` are the two tests alone; `p` is the largest one, that with a context more included, corrected for
    the family. `p_flip` is nan where it was not needed, since Student's t had not rejected, and no part of `p`; where
    it was wanted all the same, `p` is no smaller. `mde` is the smallest true difference that such data would resolve
    with 80 % power at the level of Holm's first step; nan where none would be.
    """

    difference: Array
    low: Array
    high: Array
    p_t: Array
    p_flip: Array
    p: Array
    mde: Array


def contrasts(
    samples: Sequence[Array], pairs: Sequence[tuple[int, int]], shares: bool = False, flips: Sequence[int] = ()
) -> Contrasts:
    """Compare these pairs of samples as one family.

    A sample is [seeds, contexts], the same two contexts or more for all. With one seed its noise counts as none.
    `shares` says that scores lie within [0, 1]. `flips` are the positions of pairs whose `p_flip` is wanted: it decides
    of no other pair.
    """
    differences, noise = _differences(samples, pairs)
    value = differences.mean(1)
    p_t = noise.p_value(np.abs(value))
    family = len(pairs)
    needed = holm(p_t) <= ALPHA
    made = needed | np.isin(np.arange(family), flips)
    p_flip = np.full(family, np.nan)
    p_flip[made] = sign_flip(differences[made], max(DRAWS, 40 * family))
    half = noise.reach(np.full(family, ALPHA))
    mde = noise.reach(np.full(family, ALPHA / family)) + noise.reach(np.full(family, 2 * (1 - POWER)))
    p = np.where(needed, np.fmax(p_t, p_flip), p_t)
    if shares:
        p_more, mde_more = _with_one_more(samples, pairs, differences, noise)
        p, mde = np.maximum(p, p_more), np.maximum(mde, mde_more)
    return Contrasts(value, value - half, value + half, p_t, p_flip, np.fmax(holm(p), p_flip), mde)


def _with_one_more(
    samples: Sequence[Array], pairs: Sequence[tuple[int, int]], differences: Array, noise: Noise
) -> tuple[Array, Array]:
    """Student's p-values after one more context that speaks against the difference, and what is resolved all the same.

    Both are 0 where none is due.
    """
    means = [sample.mean(0) for sample in samples]
    found = [one_more.against(means, pair) for pair in pairs]
    due = [k for k, difference in enumerate(found) if difference is not None]
    p, mde = np.zeros(len(pairs)), np.zeros(len(pairs))
    if due:
        more = np.array([[found[k]] for k in due], np.float64)
        longer = np.concatenate([differences[due], more], axis=1)
        spread = Noise(_of_mean(longer), noise.seeds[due], noise.df_contexts[due] + 1, noise.df_seeds[due])
        turned = longer.mean(1) * differences[due].mean(1) <= 0
        p[due] = np.where(turned, 1.0, spread.p_value(np.abs(longer.mean(1))))
        mde[due] = _in_spite_of(np.abs(more[:, 0]), noise.of(due), differences.shape[1], len(pairs))
    return p, mde


def _in_spite_of(more: Array, noise: Noise, contexts: int, family: int) -> Array:
    """The true differences [pairs] that would be resolved with one more context at `more` on the other side of 0.

    By bisection; nan where no difference of shares, which are at most 1, would be.
    """
    share = contexts / (contexts + 1)
    low, high = np.zeros(len(more)), np.ones(len(more))
    found = np.zeros(len(more), bool)
    for turn in range(30):
        true = high if turn == 0 else (low + high) / 2
        spread = (noise.contexts * (contexts - 1) + share * (true + more) ** 2 / contexts) / (contexts + 1)
        after = replace(noise, contexts=spread, df_contexts=noise.df_contexts + 1)
        needed = after.reach(np.full(len(more), ALPHA / family))
        room = share * noise.reach(np.full(len(more), 2 * (1 - POWER)))  # the context that is added does not vary
        resolved = share * true - more / (contexts + 1) >= needed + room
        if turn == 0:
            found = resolved
        else:
            low, high = np.where(resolved, low, true), np.where(resolved, true, high)
    detectable: Array = np.where(found, high, np.nan)
    return detectable


def _of_mean(differences: Array) -> Array:
    """The variances of the means of rows [pairs, contexts]."""
    found: Array = differences.var(1, ddof=1) / differences.shape[1]
    return found


def intervals(samples: Sequence[Array], pairs: Sequence[tuple[int, int]]) -> Array:
    """Difference, and the ends of its 95 % interval, [3, pairs]; each pair for itself."""
    differences, noise = _differences(samples, pairs)
    value, half = differences.mean(1), noise.reach(np.full(len(pairs), ALPHA))
    return np.stack([value, value - half, value + half])


@dataclass(frozen=True)
class Noise:
    """The variances of differences [pairs], by contexts and by seeds, with the degrees of freedom of each."""

    contexts: Array
    seeds: Array
    df_contexts: Array
    df_seeds: Array

    def of(self, pairs: Sequence[int]) -> Noise:
        """That of these pairs alone."""
        chosen = np.array(pairs)
        return Noise(*(part[chosen] for part in (self.contexts, self.seeds, self.df_contexts, self.df_seeds)))

    def reach(self, p: Array) -> Array:
        """How far from 0 a difference must be for a two-sided p-value of `p`."""
        by_contexts = self.contexts * stdtrit(self.df_contexts, p / 2)
        by_seeds = self.seeds * stdtrit(self.df_seeds, p / 2)
        total = self.contexts + self.seeds
        reach: Array = np.divide(by_contexts + by_seeds, -np.sqrt(total), out=np.zeros_like(total), where=total > 0)
        return reach

    def p_value(self, distance: Array) -> Array:
        """Two-sided p-values of differences this far from 0, by bisection of log p; 1 for none, 0 without any noise."""
        low, high = np.full(len(distance), -15.0), np.zeros(len(distance))
        for _ in range(30):
            middle = (low + high) / 2
            beyond = self.reach(10.0**middle) < distance
            low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
        p: Array = np.where(distance < 1e-12, 1.0, np.where(self.contexts + self.seeds > 0, 10.0**high, 0.0))
        return p


def _differences(samples: Sequence[Array], pairs: Sequence[tuple[int, int]]) -> tuple[Array, Noise]:
    """Differences by context, seeds averaged [pairs, contexts], and the noise of their means."""
    first, second = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
    means = np.stack([sample.mean(0) for sample in samples])
    differences: Array = means[first] - means[second]
    contexts = differences.shape[1]
    seeds = np.array([max(len(sample) - 1.0, 1.0) for sample in samples])  # of one seed the part is 0, and this unused
    noise = np.array([s.mean(1).var(ddof=1) / len(s) if len(s) > 1 else 0.0 for s in samples])
    both = noise[first] + noise[second]
    each = noise[first] ** 2 / seeds[first] + noise[second] ** 2 / seeds[second]
    welch = np.divide(both**2, each, out=np.ones_like(both), where=each > 0)
    return differences, Noise(_of_mean(differences), both, np.full(len(first), contexts - 1.0), welch)


def sign_flip(differences: Array, draws: int = DRAWS) -> Array:
    """Two-sided sign-flip p-values of rows of differences [pairs, contexts], against a distribution symmetric about 0.

    Exact up to 14 contexts: the share of sign patterns whose sum is as far from 0 as the one seen. Above that from
    `draws` seeded patterns, (hits + 1) / (draws + 1).
    """
    pairs, contexts = differences.shape
    seen = np.abs(differences.sum(1)) - 1e-9
    exact = contexts <= EXACT_UP_TO
    signs = _all_signs(contexts) if exact else _drawn_signs(contexts, draws)
    step = max(1, BLOCK // max(pairs, 1))
    blocks = (signs[start : start + step] for start in range(0, len(signs), step))
    hits: Array = sum(((np.abs(block @ differences.T) >= seen).sum(0) for block in blocks), np.zeros(pairs))
    return hits / len(signs) if exact else (hits + 1) / (draws + 1)


@lru_cache(maxsize=2)
def _all_signs(contexts: int) -> Array:
    """Every pattern of signs whose last one is +; the others are the same by symmetry."""
    return np.asarray(1.0 - 2.0 * (np.arange(2 ** (contexts - 1))[:, None] >> np.arange(contexts) & 1), np.float64)


@lru_cache(maxsize=2)
def _drawn_signs(contexts: int, draws: int) -> Array:
    return np.random.default_rng(0).choice([-1.0, 1.0], (draws, contexts))


def holm(p: Array) -> Array:
    """Holm's step-down adjustment: claims at p <= 0.05 are all true with probability 0.95."""
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    out = np.empty_like(p)
    out[order] = np.minimum(steps, 1.0)
    return out


def letters(count: int, different: Sequence[tuple[int, int]]) -> list[str]:
    """A compact letter display (Piepho 2004, insert and absorb): two things share a letter unless they are different.

    The letters of `count` things, in their order; the first thing has an "a".
    """
    groups = [frozenset(range(count))]
    for i, j in different:
        split = [part for g in groups for part in ((g - {i}, g - {j}) if {i, j} <= g else (g,))]
        distinct = list(dict.fromkeys(split))
        whole = set(groups)  # none of those is part of another, nor of what was split off
        groups = [g for g in distinct if g in whole or not any(g < other for other in distinct)]
    groups.sort(key=sorted)
    return ["".join(_letter(k) for k, group in enumerate(groups) if i in group) for i in range(count)]


def _letter(k: int) -> str:
    """a to z, then a1, b1 ..."""
    return chr(ord("a") + k % 26) + (str(k // 26) if k >= 26 else "")
