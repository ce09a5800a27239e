"""Scores of one freely generated answer, each in [0, 1] but `words`; pure functions of the texts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from membench.corpora.world_names import accepted
from membench.text.lists import items, lists, reorders, without_list
from membench.text.mentions import names, same, tokens
from membench.text.number_words import read_alike
from membench.text.phrases import is_english
from membench.text.words import count_words, first_words
from membench.values import NOT_STATED, MetricSpec, Question
from membench.views import ANSWERS

if TYPE_CHECKING:
    from membench.model.decoding import Reading

_ORDER = re.compile(r"\b(?:order|respectively|sequence|first|last)\b", re.IGNORECASE)  # of a question about a list
METRIC_VERSION = 4  # raise it when any score below changes: tables never mix versions

METRICS = (
    MetricSpec("contains", "contains", "share of answers that contain the gold answer as whole words, context written"),
    MetricSpec("contains/rehearsed", "rehearsed", "the same, facts that target sentences repeat"),
    MetricSpec("contains/unrehearsed", "unrehearsed", "facts that no target sentence repeats"),
    MetricSpec("contains/placebo", "placebo", "the same questions while their context is not written", interval=False),
    MetricSpec("f1", "F1", "token F1 with the gold answer (SQuAD)", interval=False),
    MetricSpec(
        "f1/placebo", "F1 placebo", "F1 while the context is not written: the part that is format", interval=False
    ),
    MetricSpec(
        "margin",
        "margin",
        "log-probability of the gold answer − of the best typed distractor, nats per token; a likelihood",
        unit="nats a token",
        interval=False,
    ),
    MetricSpec("acc_mc", "acc mc", "share of questions with margin > 0; a likelihood", interval=False),
    MetricSpec("fidelity_f1", "fid F1", "fidelity: F1 with the in-context reference's own answer", interval=False),
    MetricSpec(
        "fidelity_kl",
        "fid KL",
        "fidelity: KL to the reference, nats per token of its answer",
        unit="nats a token",
        higher_is_better=False,
        interval=False,
    ),
    MetricSpec("em", "EM", "exact match (SQuAD)", section=ANSWERS, interval=False),
    MetricSpec(
        "contains_capped", "capped", "contains, in the first 3·|gold| + 5 words", section=ANSWERS, interval=False
    ),
    MetricSpec("exclusive", "exclusive", "contains, and no typed distractor is named", section=ANSWERS, interval=False),
    MetricSpec(
        "words", "words", "words an answer", unit="words", higher_is_better=None, section=ANSWERS, interval=False
    ),
    MetricSpec(
        "truncated",
        "cut",
        "share of answers that reached the token limit",
        higher_is_better=None,
        section=ANSWERS,
        interval=False,
    ),
    MetricSpec("gold_logprob", help="log-probability of the gold answer, nats per token", unit="nats a token"),
)


def token_f1(a: str, b: str) -> float:
    """Harmonic mean of precision and recall over the words of two answers' normal forms; 0 if either is empty."""
    if tokens(a) and same(a, b):
        return 1.0
    read = read_alike(a, b, surely=True)
    return max(_token_f1(a, b), _token_f1(*read) if read else 0.0)


def _token_f1(a: str, b: str) -> float:
    english = is_english(a, b)
    left, right = tokens(a, english), tokens(b, english)
    shared = sum((Counter(left) & Counter(right)).values())
    return 2 * shared / (len(left) + len(right)) if shared else 0.0


def score_answer(question: Question, answer: str) -> dict[str, float]:
    """f1, em, contains, contains_capped, exclusive (each the best over the accepted answers) and words of the answer.

    `contains`: an accepted answer stands in the answer, on word boundaries; the items of a list in any order, unless
    the question asks for one or another order is a distractor. `contains_capped`: it does so in the first
    3·|gold| + 5 words. `exclusive` (BABILong): it does, and no distractor does; distractors that the question itself
    names and those that are an accepted answer by the normal form are ignored. An empty answer scores 0 everywhere.
    """
    ordered = _ORDER.search(question.text) is not None or any(
        reorders(gold, distractor) for gold in question.answers for distractor in question.distractors
    )
    found = any(_names_gold(answer, gold, ordered) for gold in question.answers)
    capped = (_names_gold(first_words(answer, 3 * count_words(g) + 5), g, ordered) for g in question.answers)
    return {
        "f1": max((token_f1(answer, gold) for gold in question.answers), default=0.0),
        "em": float(any(same(answer, gold) for gold in question.answers)),
        "contains": float(found),
        "contains_capped": float(any(capped)),
        "exclusive": float(found and not _names_distractor(question, answer, ordered)),
        "words": float(count_words(answer)),
    }


def _names_gold(answer: str, gold: str, ordered: bool) -> bool:
    return names(answer, gold) or lists(answer, gold, ordered)


def _names_distractor(question: Question, answer: str, ordered: bool) -> bool:
    """Whether a distractor stands in the answer, other than as a part of an accepted answer there."""
    listed = next((gold for gold in question.answers if lists(answer, gold, ordered)), None)
    rest = answer if listed is None else without_list(answer, listed, ordered) or ""
    for distractor in question.distractors:
        if names(question.text, distractor) or any(same(distractor, gold) for gold in question.answers):
            continue
        longer = any(names(distractor, gold) for gold in question.answers)
        part = listed is not None and tokens(distractor) in items(listed)
        where = rest if part else answer
        if names(where, distractor, () if longer else question.answers) or lists(where, distractor, ordered):
            return True
    return False


def leak_margin(question: Question, logprobs: Sequence[float]) -> dict[str, float]:
    """Log-probability of the value that must not surface minus that of its best rival of the same type, nats per token.

    Where the probe has an answer of its own, that one is a rival too.
    """
    if "leak" not in question.tags or len(logprobs) < 2:
        return {}
    gold, value, *rest = logprobs
    rivals = rest if question.answers == NOT_STATED else [gold, *rest]
    return {"leak_margin": round(value - max(rivals), 6)} if rivals else {}


def mentions(answer: str, values: Iterable[str], others: Iterable[str] = ()) -> bool:
    """Whether an answer names a value, on word boundaries and not merely as a part of one of the others."""
    forms = {form for value in values for form in accepted(value)}
    rivals = [other for value in others for other in accepted(value)]
    longer = [o for o in rivals if any(names(o, form) and not same(o, form) for form in forms)]
    return any(names(answer, form, longer) or lists(answer, form) for form in forms)


def likelihood(reading: Reading) -> dict[str, float]:
    """Scores of the likelihood channel, nats per token; the first candidate is the gold answer, the rest are wrong.

    Of a model that gives no likelihoods there is `truncated` alone.
    """
    scores = {"truncated": float(reading.truncated)}
    if not reading.logprobs:
        return scores
    gold, *others = reading.logprobs
    scores |= {"gold_logprob": round(gold, 6)}
    if others:
        margin = gold - max(others)
        rank = 1.0 + sum(other >= gold for other in others)
        scores |= {"margin": round(margin, 6), "acc_mc": float(margin > 0), "rank_mc": rank}
    return scores
