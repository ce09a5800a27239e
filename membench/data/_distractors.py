"""Wrong answers for data that brings none: other questions' answers of the same coarse type."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from membench.text.mentions import same
from membench.values import Context, Question

DISTRACTORS = 4
DRAWN = 64  # candidates, of which those nearest in length are taken

_MONTHS = "january february march april may june july august september october november december"
_DATE = re.compile(
    rf"\b(?:1\d|20)\d\d\b|\b(?:{_MONTHS.replace(' ', '|')})\b(?=.*\d)|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b"
)
_SMALL_WORDS = frozenset({"a", "an", "and", "at", "by", "de", "for", "from", "in", "of", "on", "the", "to", "von"})


def coarse_type(answer: str) -> str:
    """`date` (a year, a month with a number, a weekday), `number`, `name` (capitalised words) or `other`."""
    if _DATE.search(answer.lower()):
        return "date"
    if any(character.isdigit() for character in answer):
        return "number"
    words = [word for word in re.findall(r"[^\W\d_]+", answer) if word.lower() not in _SMALL_WORDS]
    return "name" if words and all(word[0].isupper() for word in words) else "other"


def fill_distractors(contexts: Sequence[Context], count: int) -> tuple[Context, ...]:
    """The first `count` contexts, their questions with 4 distractors each where they had none.

    They are canonical answers of other contexts: of the same type, of other types only where there are too few, and of
    about the same number of words. None is part of an accepted answer of the question's own context, or the other way
    round, or the same by the scorer's normal form. The choice depends on the question's id and on all of `contexts`,
    not on `count`.
    """
    pools: dict[str, list[str]] = {}
    for answer in dict.fromkeys(q.answers[0] for c in contexts for q in c.questions):
        pools.setdefault(coarse_type(answer), []).append(answer)
    return tuple(_filled(context, pools) for context in contexts[:count])


def _filled(context: Context, pools: dict[str, list[str]]) -> Context:
    own = [answer for question in context.questions for answer in question.answers]
    return replace(context, questions=tuple(_with_distractors(q, own, pools) for q in context.questions))


def _with_distractors(question: Question, own: Sequence[str], pools: dict[str, list[str]]) -> Question:
    if question.distractors:
        return question
    rng = random.Random(f"distractors/{question.id}")
    kind, length = coarse_type(question.answers[0]), len(question.answers[0].split())
    chosen: list[str] = []
    for name in [kind, *sorted(set(pools) - {kind})]:
        pool = pools[name]
        drawn = rng.sample(pool, min(len(pool), DRAWN))
        for candidate in sorted(drawn, key=lambda text: abs(len(text.split()) - length)):
            if len(chosen) == DISTRACTORS:
                return replace(question, distractors=tuple(chosen))
            if not _overlaps(candidate, [*own, *chosen]):
                chosen.append(candidate)
    return replace(question, distractors=tuple(chosen))


def _overlaps(answer: str, others: Iterable[str]) -> bool:
    a = answer.casefold()
    return any(a in b or b in a or same(answer, other) for b, other in ((other.casefold(), other) for other in others))
