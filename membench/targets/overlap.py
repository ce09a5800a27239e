"""The leak gate: how much of the test the target sentences give away (a writer must never have seen it)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from membench.targets.pairs import words
from membench.values import DIGITS, Pair, Question

GRAM = 8  # words in a row that two texts must share to count as overlapping


def audit(
    pairs_by_text: Mapping[str, Sequence[Pair]], questions: Sequence[Question], texts: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """What target pairs (by passage) share with test questions, compared without case, punctuation and articles.

    `exact`: share of questions that some pair asks in the same words; `ngram`: share with 8 words in a row in common
    with a pair's question or its answer; `leak_rate`: share with either; `leaked`: ids of those questions.
    `answer_covered`: share whose answer is the answer of a pair about the same passage, which is what a memory is for
    and no leak; `texts` gives the passage of each context id for it, without them it is None. `pairs` and `questions`
    are counts. All shares are 0.0 where there are no questions.
    """
    pairs = [pair for group in pairs_by_text.values() for pair in group]
    asked = {tuple(words(pair.question)) for pair in pairs}
    known = {gram for pair in pairs for text in (pair.question, pair.answer) for gram in _grams(text)}
    exact = [q.id for q in questions if tuple(words(q.text)) in asked]
    overlapping = [q.id for q in questions if not known.isdisjoint(_grams(q.text))]
    hit = {*exact, *overlapping}
    leaked = [q.id for q in questions if q.id in hit]
    covered = [q for q in questions if _covered(q, pairs_by_text.get(texts.get(q.context, ""), ()))] if texts else None
    total = max(1, len(questions))
    return {
        "pairs": len(pairs),
        "questions": len(questions),
        "exact": len(exact) / total,
        "ngram": len(overlapping) / total,
        "leak_rate": len(leaked) / total,
        "leaked": leaked,
        "answer_covered": None if covered is None else len(covered) / total,
    }


def _grams(text: str) -> set[tuple[str, ...]]:
    """All runs of 8 words; none in a shorter text."""
    row = words(text)
    return {tuple(row[i : i + GRAM]) for i in range(len(row) - GRAM + 1)}


def _covered(question: Question, pairs: Sequence[Pair]) -> bool:
    answers = {tuple(words(pair.answer)) for pair in pairs}
    return any(tuple(words(gold)) in answers for gold in question.answers)


def overlaps(questions: Mapping[str, str], pairs: Iterable[Pair]) -> dict[str, float]:
    """For each question (id -> text) the largest share of its words that one pair has; empty without pairs."""
    holders: dict[str, list[int]] = defaultdict(list)
    count = 0
    for pair in pairs:
        for word in set(words(f"{pair.question} {pair.answer}")):
            holders[word].append(count)
        count += 1
    if not count:
        return {}
    out = {}
    for name, text in questions.items():
        asked = set(words(text))
        shared = Counter(pair for word in asked for pair in holders[word])
        out[name] = round(max(shared.values(), default=0) / max(1, len(asked)), DIGITS)
    return out
