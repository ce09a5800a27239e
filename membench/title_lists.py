"""Reading a list of titles out of a free answer: numbered, with bullets, one a line, or separated by marks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from membench.titles import bare

MOST_WORDS = 16  # of a title; more is a sentence

_SPEAKER = re.compile(r"^[ \t]*(?:System|User|Q):", re.MULTILINE)  # from here on somebody else speaks
_ANSWER = re.compile(r"^[ \t]*A:[ \t]*", re.MULTILINE)
_NUMBER = re.compile(
    r"(?<!\S)\(?(?P<number>\d{1,3})(?:[.)](?!\d)|:(?=\s))\s*"  # "1.", "1)", "(1)", "1: "; not "3:10", "2.5"
    r"|^[ \t]*(?P<letter>[A-T])[.)]\s+",  # "B. "
    re.MULTILINE,
)
_BULLET = re.compile(r"^\s*[-*•–]\s+")
_INTRODUCTION = re.compile(r"^[^,;:]*\b(?:films?|movies?|titles?|recommend\w*|suggest\w*)\b[^,;:]*:\s*", re.IGNORECASE)
_YEAR_ON = re.compile(r"\s*\((?:18|19|20)\d\d\).*")  # a year, and what is said about the film behind it
_PROSE = re.compile(r"\s*[a-z']+(?:\s+\S+){2,}")  # three words or more, the first in lower case
_COMMA = re.compile(r",(?![^(]*\))\s*(?:and\s+)?")
_QUOTES = "\"'“”‘’«»*_`"


def read_titles(answer: str) -> list[str]:
    """The titles of an answer, in its order and with repetitions; none if there is nothing like a title in it.

    Numbers (or letters) count if they begin with 1 (A) and go up; else bullets, then lines, then semicolons, then
    commas part the titles. A title may be in quotes and be followed by its year and a remark; it has a letter or a
    digit and at most 16 words.
    """
    speech = _ANSWER.sub("", _SPEAKER.split(answer, maxsplit=1)[0])
    titles = [_cleaned(entry) for entry in _entries(speech.strip())]
    return [t for t in titles if re.search(r"[^\W_]", bare(t)) and len(t.split()) <= MOST_WORDS]


def _entries(text: str) -> Iterator[str]:
    numbered = _numbered(text)
    if numbered:
        yield from numbered
        return
    lines = [line for line in text.splitlines() if line.strip()]
    bullets = [line for line in lines if _BULLET.match(line)]
    if bullets:
        yield from (_BULLET.sub("", line) for line in bullets)
        return
    if len(lines) > 1:
        lines = [line for line in lines if not line.rstrip().endswith(":")]
    first = _INTRODUCTION.sub("", lines[0]) if lines else ""
    if ";" in first:
        yield from first.split(";")
    elif _COMMA.search(first):
        parts = _COMMA.split(first)
        titled = [part for part in parts if not _PROSE.match(part)]
        yield from titled or parts  # "it depends, but maybe X": what begins like a title, if anything does
    else:
        yield from [first, *lines[1:]]


def _numbered(text: str) -> list[str]:
    """What stands behind the numbers 1, 2, …, each to the end of its line; nothing unless 1 is among them.

    Letters may take the place of numbers, but a single one makes no list.
    """
    marks: list[re.Match[str]] = []
    for mark in _NUMBER.finditer(text):
        place = int(mark["number"]) if mark["number"] else ord(mark["letter"]) - ord("A") + 1
        if place == len(marks) + 1:
            marks.append(mark)
    if len(marks) == 1 and marks[0]["letter"]:
        return []
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    parts = (text[mark.end() : end].strip() for mark, end in zip(marks, ends, strict=False))
    return [part.splitlines()[0] for part in parts if part]


def _cleaned(entry: str) -> str:
    """The title alone. What is in parentheses goes when titles are compared."""
    plain = _YEAR_ON.sub("", entry.strip())
    return plain.strip().strip(_QUOTES).rstrip(".,;").strip(_QUOTES).strip()
