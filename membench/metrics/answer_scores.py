"""Scores of one freely generated answer, each in [0, 1] but `words`; pure functions of the texts."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable, Sequence

from membench.corpora.world_names import accepted
from membench.model.decoding import Reading
from membench.values import NOT_STATED, Question

METRIC_VERSION = 1  # raise it when any score below changes: tables never mix versions


_ARTICLES = re.compile(r"\b(a|an|the)\b")


_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalise(text: str) -> str:
    """Lower case without punctuation, articles and surplus space (Rajpurkar et al. 2016, the SQuAD evaluation).

    A text that is nothing but these ("A", "%") is kept in lower case, so that only an empty text gives "".
    """
    lower = text.lower()
    bare = " ".join(_ARTICLES.sub(" ", lower.translate(_NO_PUNCTUATION)).split())
    return bare or " ".join(lower.split())


def token_f1(a: str, b: str) -> float:
    """Harmonic mean of precision and recall over the normalised tokens of two texts; 0 if either is empty."""
    left, right = normalise(a).split(), normalise(b).split()
    shared = sum((Counter(left) & Counter(right)).values())
    return 2 * shared / (len(left) + len(right)) if shared else 0.0


def score_answer(question: Question, answer: str) -> dict[str, float]:
    """f1, em, contains, contains_capped, exclusive (each the best over the accepted answers) and words of the answer.

    `contains`: an accepted answer stands in the answer, on token boundaries. `contains_capped`: it does so in the first
    3·|gold| + 5 words. `exclusive` (BABILong): it does, and no distractor does; distractors that the question itself
    names are ignored. An empty answer scores 0 everywhere.
    """
    said = normalise(answer)
    golds = [normalise(gold) for gold in question.answers]
    found = any(_mentions(said, gold) for gold in golds)
    return {
        "f1": max((token_f1(answer, gold) for gold in question.answers), default=0.0),
        "em": float(bool(said) and said in golds),
        "contains": float(found),
        "contains_capped": float(any(_in_first_words(answer, gold) for gold in question.answers)),
        "exclusive": float(found and not _mentions_distractor(question, said, golds)),
        "words": float(len(answer.split())),
    }


def _mentions(text: str, phrase: str) -> bool:
    """Whether a normalised phrase stands in a normalised text, on token boundaries: "3" is not in "38"."""
    return bool(phrase) and f" {phrase} " in f" {text} "


def _in_first_words(answer: str, gold: str) -> bool:
    limit = 3 * len(gold.split()) + 5
    return _mentions(normalise(" ".join(answer.split()[:limit])), normalise(gold))


def _mentions_distractor(question: Question, said: str, golds: Iterable[str]) -> bool:
    """Whether a distractor stands in the answer, other than as a part of an accepted answer there."""
    golds = sorted(golds, key=len, reverse=True)
    rest = f" {said} "
    for gold in golds:
        rest = rest.replace(f" {gold} ", " | ")  # a mark that no phrase spans
    asked = normalise(question.text)
    for distractor in map(normalise, question.distractors):
        longer = any(_mentions(distractor, gold) for gold in golds)
        if not _mentions(asked, distractor) and _mentions(said if longer else rest, distractor):
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
    """Whether an answer names a value, on token boundaries and not merely as a part of one of the others."""
    said = f" {normalise(answer)} "
    forms = {normalise(form) for value in values for form in accepted(value)} - {""}
    for other in sorted({normalise(o) for value in others for o in accepted(value)} - {""}, key=len, reverse=True):
        if any(f" {form} " in f" {other} " and form != other for form in forms):
            said = said.replace(f" {other} ", " | ")
    return any(f" {form} " in said for form in forms)


def likelihood(reading: Reading) -> dict[str, float]:
    """Scores of the likelihood channel, nats per token; the first candidate is the gold answer, the rest are wrong."""
    gold, *others = reading.logprobs
    scores = {"truncated": float(reading.truncated), "gold_logprob": round(gold, 6)}
    if others:
        margin = gold - max(others)
        rank = 1.0 + sum(other >= gold for other in others)
        scores |= {"margin": round(margin, 6), "acc_mc": float(margin > 0), "rank_mc": rank}
    return scores
