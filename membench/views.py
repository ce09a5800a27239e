"""From answers to metrics: which answers a view takes, and their mean over contexts.

A metric is named "<score>/<view>". Views: `all` (the memory holds the context), `rehearsed` and `unrehearsed` (its
facts that target sentences repeated or left out, where the data says so), `placebo` (the memory does not hold it).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import fmean

from membench.values import Answer, Metric, Question

SCORES = (
    "f1", "em", "contains", "contains_capped", "exclusive", "words", "truncated",
    "gold_logprob", "margin", "acc_mc", "fidelity_f1", "fidelity_kl",
)  # fmt: skip
SPLIT_SCORES = ("f1", "contains", "exclusive", "gold_logprob", "margin", "acc_mc", "fidelity_f1", "fidelity_kl")
PLACEBO_SCORES = ("f1", "contains", "exclusive", "words", "gold_logprob", "margin", "acc_mc")
BASELINES = ("popularity", "random")  # views that are rows of a table: what needs no model
# The sections of a table, in the order of print.
SECTIONS = ("risk card", "contamination, more", "memory", "over time", "answers and cost")
RISK, DETAIL, MEMORY, TIME, ANSWERS = SECTIONS
REHEARSED = {"rehearsed": "yes", "unrehearsed": "no"}


def by_context(answers: Iterable[Answer], score: str) -> dict[str, float]:
    """Mean of a score per context, over the answers that have it."""
    values: dict[str, list[float]] = defaultdict(list)
    for answer in answers:
        if score in answer.scores:
            values[answer.context].append(answer.scores[score])
    return {context: fmean(those) for context, those in values.items()}


def mean_of(contexts: Mapping[str, float]) -> Metric:
    """The metric that is the mean over these contexts."""
    return Metric(fmean(contexts.values()), contexts)


def ratio_of_sums(numerators: Mapping[str, float], denominators: Mapping[str, float]) -> Metric | None:
    """Σ numerators / Σ denominators over the same contexts; None where the denominators sum to nothing.

    Its values per context are the linearised ones, r + (n_i - r·d_i) / mean(d): their mean is the ratio, and their
    spread over contexts gives its interval (delta method).
    """
    total = sum(denominators[context] for context in numerators)
    if total <= 0:
        return None
    ratio = sum(numerators.values()) / total
    scale = len(numerators) / total
    linear = {c: ratio + (n - ratio * denominators[c]) * scale for c, n in numerators.items()}
    return Metric(ratio, linear, sums={c: (n, denominators[c]) for c, n in numerators.items()})


def ratio_of_parts(numerators: Mapping[str, float], denominators: Mapping[str, float]) -> Metric | None:
    """The same of contexts that may add nothing below: the interval is over those that do, so these are stored."""
    found = ratio_of_sums(numerators, denominators)
    return found and replace(found, below=tuple(denominators[context] for context in found.contexts))


def summarise_view(answers: Sequence[Answer], view: str, scores: Iterable[str]) -> dict[str, Metric]:
    """ "<score>/<view>" for these answers, where any has the score."""
    found = {score: by_context(answers, score) for score in scores}
    return {f"{score}/{view}": mean_of(contexts) for score, contexts in found.items() if contexts}


def summarise_split(answers: Sequence[Answer], scores: Iterable[str], prefix: str = "") -> dict[str, Metric]:
    """The views `rehearsed` and `unrehearsed`, where answers are tagged so."""
    out: dict[str, Metric] = {}
    for view, tag in REHEARSED.items():
        chosen = [answer for answer in answers if answer.tags.get("rehearsed") == tag]
        out |= summarise_view(chosen, prefix + view, scores)
    return out


def summarise_seen(answers: Sequence[Answer]) -> dict[str, Metric]:
    """The views of answers whose context the memory holds: all, rehearsed, unrehearsed."""
    seen = [answer for answer in answers if answer.seen]
    return summarise_view(seen, "all", SCORES) | summarise_split(seen, SPLIT_SCORES)


def summarise_placebo(answers: Sequence[Answer]) -> dict[str, Metric]:
    """The view of answers whose context the memory does not hold; means are over the questions' own contexts."""
    return summarise_view([answer for answer in answers if not answer.seen], "placebo", PLACEBO_SCORES)


def alternate(questions: Sequence[Question], count: int) -> tuple[Question, ...]:
    """`count` questions, rehearsed and unrehearsed facts in turn where they are tagged; 0 means all, as they are."""
    if not count:
        return tuple(questions)
    hidden = [q for q in questions if q.tags.get("rehearsed") == "no"]
    others = [q for q in questions if q.tags.get("rehearsed") != "no"]
    paired = [q for pair in zip(others, hidden, strict=False) for q in pair]
    left = others[len(hidden) :] + hidden[len(others) :]
    return tuple((paired + left)[:count])
