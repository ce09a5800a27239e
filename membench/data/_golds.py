"""Accepted answers of published golds: those that a gold names beside the first one, and other ways to write a day."""

from __future__ import annotations

import re
from collections.abc import Iterator

from membench.corpora.sessions import forms_of, written_day
from membench.data._distractors import coarse_type
from membench.text.mentions import same
from membench.text.sentences import sentences

_ALSO = re.compile(r"(\S.*?)(?:\s*\([^()]*\))?\s+(?:is|are) also acceptable\.?", re.DOTALL)
_RANGE = re.compile(r"Answers ranging from (\d{1,2}) (\w+) to (\d{1,2}) \2")
_OR = re.compile(r"(.+?)\s*\(or\s+([^()]+)\)\.?", re.DOTALL)
_AGO = re.compile(r"(\w+ \w+) ago")


def answers_of(gold: str) -> tuple[str, ...]:
    """The accepted answers of a gold, the one that it names first at the beginning.

    "18 days. 19 days (including the last day) is also acceptable." names two, and so does "25 minutes and 50 seconds
    (or 25:50)". A whole date is also accepted in the forms of membench's own dates.
    """
    kept: list[str] = []
    for answer in _named(gold):
        when = written_day(answer)
        for form in (answer, *(forms_of(when) if when else ())):
            if not any(same(form, other) for other in kept):
                kept.append(form)
    return tuple(kept)


def _named(gold: str) -> Iterator[str]:
    told = sentences(gold)
    # In more sentences than these two a stop may be that of "Dr.", which alone would be right for anybody.
    if len(told) == 2 and (also := _ALSO.fullmatch(told[1])):
        first = told[0].removesuffix(".")
        yield first
        if bare := _AGO.fullmatch(first):  # "7 days ago. 8 days is also acceptable.": so are 7 days
            yield bare[1]
        several = _RANGE.fullmatch(also[1])
        yield from (f"{n} {several[2]}" for n in range(int(several[1]), int(several[3]) + 1)) if several else (also[1],)
    elif found := _OR.fullmatch(gold):
        first, more = found.groups()
        yield first
        # In other words the bracket may stand for a part of the first answer alone: "a red sofa (or couch)".
        if coarse_type(first) == coarse_type(more) != "other":
            yield more
    else:
        yield gold
