"""Reading a list of titles out of a free answer: numbered, with bullets, one a line, or separated by marks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from membench.metrics.titles import bare
from membench.text.words import count_words

MOST_WORDS = 16  # of a title; more is a sentence


MOST_PARTS = 6  # between commas, that one title may have


_SPEAKER = re.compile(r"^[ \t]*(?:System|User|Q):", re.MULTILINE)  # from here on somebody else speaks


_ANSWER = re.compile(r"^[ \t]*A:[ \t]*", re.MULTILINE)


_NUMBER = re.compile(
    # "1.", "1)", "(1)", "1: ", "#1 "; not "3:10", "2.5"
    r"(?<!\S)\(?(?P<hash>#)?(?P<number>\d{1,3})(?:[.)](?!\d)|:(?=\s)|(?(hash)(?=\s)|(?!)))\s*"
    r"|^[ \t]*(?P<dashed>\d{1,3})\s+[-–—]\s+"  # "1 - "
    r"|^[ \t]*(?P<letter>[A-T])[.)]\s+",  # "B. "
    re.MULTILINE,
)


_LINE = re.compile(r"^[ \t]*\(?(#)?\d{1,3}(?:[.)](?!\d)|(?(1)(?=\s)|(?!)))\s*")  # what begins a line like a number


_BULLET = re.compile(r"^\s*[-*•–+]\s+")


_INTRODUCTION = re.compile(r"^[^,;:]*\b(?:films?|movies?|titles?|recommend\w*|suggest\w*)\b[^,;:]*:\s*", re.IGNORECASE)


_PROSE = re.compile(r"\s*[a-z']+(?:\s+\S+){2,}")  # three words or more, the first in lower case


_COMMA = re.compile(r",(?![^(]*\))\s*(?:and\s+)?")


_AND = re.compile(r"\s+(?:and|&)\s+")


Known = Callable[[str], bool]


def read_titles(answer: str, known: Known = lambda _: False) -> list[str]:
    """The titles of an answer, in its order and with repetitions; none if there is nothing like a title in it.

    Numbers (or letters) count if they begin with 1 (A) and go up, and where they begin several lines; else bullets,
    then lines, then semicolons, then commas part the titles. A title may be in quotes and be followed by its year and
    a remark; it has a letter or a digit and at most 16 words. `known` says of a text whether it is a title of the
    catalogue: what is one is not taken apart.
    """

    def named(text: str) -> bool:
        return known(unquoted(text))

    speech = _ANSWER.sub("", _SPEAKER.split(answer, maxsplit=1)[0])
    titles = [cleaned(entry, named) for entry in _entries(speech.strip(), named)]
    return [t for t in titles if re.search(r"[^\W_]", bare(t)) and count_words(t) <= MOST_WORDS]


def _entries(text: str, known: Known) -> Iterator[str]:
    lines = [line for line in text.splitlines() if line.strip()]
    numbered = _numbered(text)
    marked = [line for line in lines if _LINE.match(line) and not known(line)]
    if len(marked) > 1 >= len(numbered):  # "2. …" and "3. …", or "1. …" again and again
        yield from (_LINE.sub("", line) for line in marked)
        return
    if numbered:
        yield from numbered
        return
    bullets = [line for line in lines if _BULLET.match(line)]
    if bullets:
        yield from (_BULLET.sub("", line) for line in bullets)
        return
    if len(lines) > 1:
        lines = [line for line in lines if not line.rstrip().endswith(":")]
    lines = [line if known(line) else _LINE.sub("", line) for line in lines]
    yield from _unmarked(_INTRODUCTION.sub("", lines[0]) if lines else "", lines[1:], known)


def _unmarked(first: str, others: list[str], known: Known) -> Iterator[str]:
    """The titles of lines without marks: parted by semicolons or commas in the first one, else one a line."""
    if ";" in first:
        yield from first.split(";")
        return
    parts = _parted(first, known)
    if len(parts) > 1 or not others:
        parts = [*parts[:-1], *_halves(parts[-1], known)]
    if len(parts) > 1:
        titled = [part for part in parts if known(part) or not _PROSE.match(part)]
        yield from titled or parts  # "it depends, but maybe X": what begins like a title, if anything does
    else:
        yield from [first, *others]


def _parted(line: str, known: Known) -> list[str]:
    """What stands between the commas of a line; those within a known title part nothing."""
    commas = [(0, 0), *(comma.span() for comma in _COMMA.finditer(line)), (len(line), len(line))]
    parts: list[str] = []
    place = 0
    while place < len(commas) - 1:
        start = commas[place][1]
        longer = range(min(len(commas) - 1, place + MOST_PARTS), place + 1, -1)
        place = next((end for end in longer if known(line[start : commas[end][0]])), place + 1)
        parts.append(line[start : commas[place][0]])
    return parts


def _halves(part: str, known: Known) -> list[str]:
    """ "Heat and Inception" as two titles, where both are known and the whole is not."""
    if not known(part):
        for word in _AND.finditer(part):
            halves = [part[: word.start()], part[word.end() :]]
            if all(map(known, halves)):
                return halves
    return [part]


def _numbered(text: str) -> list[str]:
    """What stands behind the numbers 1, 2, …, each to the end of its line; nothing unless 1 is among them.

    Letters may take the place of numbers, but a single one makes no list.
    """
    marks: list[re.Match[str]] = []
    for mark in _NUMBER.finditer(text):
        number = mark["number"] or mark["dashed"]
        place = int(number) if number else ord(mark["letter"]) - ord("A") + 1
        if place == len(marks) + 1:
            marks.append(mark)
    if len(marks) == 1 and marks[0]["letter"]:
        return []
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    parts = (text[mark.end() : end].strip() for mark, end in zip(marks, ends, strict=False))
    return [part.splitlines()[0] for part in parts if part]


_MARKS = "\"'“”‘’«»*_`"


_YEAR_ON = re.compile(r"\s*\((?:18|19|20)\d\d\).*")  # a year, and what is said about the film behind it


_DASH = re.compile(r"\s+[-–—]+\s+")


_PAIRS = (
    ("**", "**"),
    ("__", "__"),
    ("*", "*"),
    ("_", "_"),
    ("`", "`"),
    ('"', '"'),
    ("“", "”"),
    ("‘", "’"),
    ("«", "»"),
    ("'", "'"),
)


_QUOTED = re.compile("|".join(rf"{re.escape(a)}(\S|\S.*?\S){re.escape(b)}(?!\w)" for a, b in _PAIRS))


_BEHIND = re.compile(r"\s*(?:$|[-–—:,;.(])")  # what may follow a title in quotes


def unquoted(text: str) -> str:
    """A text without quotes and emphasis around it, and marks at its end."""
    return text.strip().strip(_MARKS).rstrip(".,;").strip(_MARKS).strip()


def cleaned(entry: str, known: Callable[[str], bool]) -> str:
    """The title alone. What is in parentheses goes when titles are compared.

    What is in quotes or emphasised at the beginning is the title, if a remark or nothing follows. A remark behind a
    dash goes, unless the whole, or what stands before a later dash, is `known` as a title.
    """
    entry = entry.strip()
    plain = unquoted(_YEAR_ON.sub("", entry))
    if known(plain):
        return plain
    quoted = _QUOTED.match(entry)
    if quoted:
        own = next(text for text in quoted.groups() if text)
        if own.endswith(":") or _BEHIND.match(entry, quoted.end()):
            return unquoted(_YEAR_ON.sub("", own.removesuffix(":")))
    parts = [unquoted(plain[: dash.start()]) for dash in _DASH.finditer(plain)]
    return next((part for part in reversed(parts) if known(part)), parts[0] if parts else plain)
