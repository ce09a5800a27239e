"""Cutting a text into passages of at most so many tokens, on the boundaries of its sentences."""

from __future__ import annotations

import re
from collections.abc import Callable

# Where a text may be cut: between sentences; in a sentence that is too long, between clauses; then between words.
_BREAKS = tuple(map(re.compile, (r"(?<=[.!?])(?=\s)|(?=\n)", r"(?<=[,;:])(?=\s)", r"(?=\s)")))


def sentences(text: str) -> list[str]:
    """The sentences of a text, in order and without the space between them."""
    return [part.strip() for part in _BREAKS[0].split(text) if part.strip()]


def passages(text: str, limit: int, overlap: int, count: Callable[[str], int]) -> tuple[str, ...]:
    """A text as passages of at most `limit` tokens, as `count` counts them: as many whole sentences as go into each.

    A text that fits stays as it is, byte for byte. A sentence above the limit is cut behind commas, then between words;
    a single word above it stays whole. Each passage begins with the last sentences of the one before that take at most
    `overlap` tokens.
    """
    if count(text) <= limit:
        return (text,)
    units = _units(text, limit, count, _BREAKS)
    sizes = [count(unit) for unit in units]
    out = []
    start = end = 0
    while end < len(units):
        end = _full(sizes, start, limit)
        out.append("".join(units[start:end]).strip())
        start = _back(sizes, start, end, min(overlap, limit - sizes[end])) if end < len(units) else end
    return tuple(passage for passage in out if passage)


def _units(text: str, limit: int, count: Callable[[str], int], breaks: tuple[re.Pattern[str], ...]) -> list[str]:
    """The smallest parts, each with the space before it; joined, they are the text."""
    if not breaks or count(text) <= limit:
        return [text]
    return [unit for part in breaks[0].split(text) if part for unit in _units(part, limit, count, breaks[1:])]


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
