"""Cutting a text into passages of at most so many tokens, on the boundaries of its sentences."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import regex

from membench.text.sentences import BREAKS, characters

Count = Callable[[str], int]
FINE = 8  # a word above the limit comes in parts of an eighth of it, so that passages are full and may overlap


def passages(text: str, limit: int, overlap: int, count: Count) -> tuple[str, ...]:
    """A text as passages of at most `limit` tokens, as `count` counts them: as many whole sentences as go into each.

    A text that fits stays as it is, byte for byte. A sentence above the limit is cut between clauses, then between
    words, then between characters; a single code point above it stays whole. Each passage begins with the last
    sentences of the one before that take at most `overlap` tokens. Where each part stands behind a space, the
    one that a passage leaves out at its beginning may make its first word a token longer.
    """
    if count(text) <= limit:
        return (text,)
    units = _units(text, limit, count, BREAKS)
    sizes = [count(unit) for unit in units]
    out = []
    start = end = 0
    while end < len(units):
        end = _full(sizes, start, limit)
        while not _adds_up(units[start:end]) and count("".join(units[start:end]).strip()) > limit:
            end -= 1
        out.append("".join(units[start:end]).strip())
        start = _back(sizes, start, end, min(overlap, limit - sizes[end])) if end < len(units) else end
    return tuple(passage for passage in out if passage)


def _units(text: str, limit: int, count: Count, breaks: Sequence[regex.Pattern[str]]) -> list[str]:
    """The smallest parts, each with the space before it; joined, they are the text."""
    if count(text) <= limit:
        return [text]
    if not breaks:
        return _halves(characters(text), max(1, limit // FINE), count)
    return [unit for part in breaks[0].split(text) if part for unit in _units(part, limit, count, breaks[1:])]


def _halves(parts: Sequence[str], limit: int, count: Count) -> list[str]:
    """A text in parts of at most `limit` tokens: halves of halves; a character above it in its code points."""
    whole = "".join(parts)
    if len(whole) == 1 or count(whole) <= limit:
        return [whole]
    parts = whole if len(parts) == 1 else parts
    middle = len(parts) // 2
    return [*_halves(parts[:middle], limit, count), *_halves(parts[middle:], limit, count)]


def _adds_up(units: Sequence[str]) -> bool:
    """Whether these parts have as many tokens together as apart: words behind a space are tokenised by themselves."""
    return all(unit[0].isspace() for unit in units[1:])


def _full(sizes: list[int], start: int, limit: int) -> int:
    """The end of the passage that begins at unit `start`; it has one unit at least."""
    total, end = sizes[start], start + 1
    while end < len(sizes) and total + sizes[end] <= limit:
        total, end = total + sizes[end], end + 1
    return end


def _back(sizes: list[int], start: int, end: int, overlap: int) -> int:
    """Where the next passage begins: as far before `end` as `overlap` tokens reach, and behind `start`."""
    total = 0
    while end - 1 > start and total + sizes[end - 1] <= overlap:
        total, end = total + sizes[end - 1], end - 1
    return end
