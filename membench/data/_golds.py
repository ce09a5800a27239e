"""Accepted answers of published golds: those that a gold names beside the first one, and other ways to write a day."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from math import isfinite
from typing import Any

from membench.corpora.sessions import forms_of, written_day
from membench.data._distractors import coarse_type
from membench.errors import MembenchError
from membench.text.mentions import same
from membench.text.sentences import sentences

_ALSO = re.compile(r"(\S.*?)(?:\s*\([^()]*\))?\s+(?:is|are) also acceptable\.?", re.DOTALL)
_RANGE = re.compile(r"Answers ranging from (\d{1,2}) (\w+) to (\d{1,2}) \2")
_OR = re.compile(r"(.+?)\s*\(or\s+([^()]+)\)\.?", re.DOTALL)
_AGO = re.compile(r"(\w+ \w+) ago")
_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_SMALL = {word: n for n, word in enumerate(_WORDS, 1)}
_UNIT = "second|minute|hour|day|night|week|weekend|month|year|decade|time"
_ONE = re.compile(r"\b[Aa]n? (?=(?:second|minute|hour|day|week|fortnight|month|year|decade|dozen)s?\b)")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_TIMES = re.compile(  # alone or measured by, not as in "5 day trip"
    rf"( (?:{_UNIT}))s?"
    r"(?=$|[.,;)]| (?:ago|before|after|later|old|long|an?|per|each|every|in|on|of|at|from|since|and|or|to|until)\b)",
    re.IGNORECASE,
)
_COUNT = re.compile(  # no ordinal, no part of a date or a range, no "one-way", but "3-day" and "4-bedroom"
    rf"(?<![\w.,:-])(?:\d+(?:[.,]\d+)*(?!-\d)|(?:{'|'.join(_WORDS)})(?!-(?!(?:{_UNIT})s?\b)))(?![\w:])", re.IGNORECASE
)


def gold_text(record: Mapping[str, Any], where: str) -> str:
    """The published answer of a record, a text or a number. Raises MembenchError for anything else and for none."""
    gold = record.get("answer")
    if not is_gold(gold):
        blank = gold is None or (isinstance(gold, str) and not gold.strip())
        raise MembenchError(f"{where}: 'answer' is {'missing' if blank else 'no text'}")
    return str(gold).strip()


def is_gold(gold: object) -> bool:
    """Whether it is a text that says something, or a number."""
    if isinstance(gold, str):
        return bool(gold.strip())
    return type(gold) is int or (isinstance(gold, float) and isfinite(gold))


def answers_of(gold: str) -> tuple[str, ...]:
    """The accepted answers of a gold, the one that it names first at the beginning.

    "18 days. 19 days (including the last day) is also acceptable." names two, and so does "25 minutes and 50 seconds
    (or 25:50)". A whole date is also accepted in the other forms in which days are written.
    """
    kept: list[str] = []
    for answer in _named(gold):
        when = written_day(answer)
        for form in (answer, *(_written(when) if when else ())):
            if not any(same(form, other) for other in kept):
                kept.append(form)
    return tuple(kept)


def _named(gold: str) -> Iterator[str]:
    told = sentences(gold)
    # In more sentences than these two a stop may be that of "Dr.", which alone would be right for anybody.
    if len(told) == 2 and (also := _ALSO.fullmatch(told[1])):
        first = told[0].removesuffix(".")
        yield first
        if _NUMBER.fullmatch(_digits(also[1])):  # "7 times. 8 is also acceptable."
            yield from _instead(first, also[1])
            return
        if bare := _AGO.fullmatch(first):  # "7 days ago. 8 days is also acceptable.": so are 7 days
            yield bare[1]
        several = _RANGE.fullmatch(also[1])
        yield from (f"{n} {several[2]}" for n in range(int(several[1]), int(several[3]) + 1)) if several else (also[1],)
    elif found := _OR.fullmatch(gold):
        first, more = found.groups()
        yield first
        yield from _instead(first, more)
    else:
        yield gold


def _instead(first: str, more: str) -> Iterator[str]:
    """What a bracket names in place of an answer, where that is sure: it may stand for a part of the answer alone.

    "25:50" for "25 minutes and 50 seconds", "14 days" for "two weeks", "Honda Civic 2020" where "Honda Civic 2019 (or
    2020)" is said; nothing for "a red sofa (or couch)".
    """
    if _NUMBER.fullmatch(_digits(more)) and not _NUMBER.fullmatch(_digits(first)):
        if len(counts := list(_COUNT.finditer(first))) == 1:
            after = first[counts[0].end() :]
            if time := _TIMES.match(after):  # "1 night" for "2 nights"
                after = time[1] + ("" if _digits(more) == "1" else "s") + after[time.end() :]
            yield first[: counts[0].start()] + more + after
    elif coarse_type(_digits(first)) == coarse_type(_digits(more)) != "other":
        yield more


def _digits(answer: str) -> str:
    """An answer with a number that English writes in words as digits, "a week" as 1 week."""
    counted = _ONE.sub("1 ", answer)
    return re.sub(r"\w+", lambda word: str(_SMALL.get(word[0].lower(), word[0])), counted)


def _written(when: datetime) -> tuple[str, ...]:
    """A day in the forms in which answers give it: 7 May 2023, May 7, 2023, 2023-05-07, 7th May 2023, …"""
    own = forms_of(when)
    month, n = own[0].split()[1], when.day
    nth = f"{n}{'th' if 10 < n < 14 else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')}"
    words = (f"{nth} {month} {when.year}", f"{nth} of {month} {when.year}", f"{month} {nth}, {when.year}")
    return (*own, *words, f"{n:02} {month} {when.year}", f"{when:%Y/%m/%d}")
