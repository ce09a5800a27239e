"""Lists in an answer: "red, green" is what "green and red" says, where their order tells nothing."""

from __future__ import annotations

from collections.abc import Sequence

import regex

from membench.text.mentions import tokens

_MARK = r"\s*(?:(?<!\d),|,(?!\d)|[;\n、，；،])\s*"
_GIVEN = regex.compile(rf"(?:{_MARK})(?:(?:and|&)\s+)?|\s+(?:and|&)\s+")
_JOINERS = "and|&|et|und|y|e|i|och|og|en|и|і"
_SAID = regex.compile(
    rf"{_MARK}(?:(?:{_JOINERS})\s+)?|\s+(?:{_JOINERS})\s+|(?<=\p{{Han}})[和与](?=\p{{Han}})|と|\s*및\s*|\s+و\s*"
)
_MOST_ITEMS = 12  # a longer text with commas is prose


def items(text: str) -> list[list[str]]:
    """The items of a list, each in its normal form; none for what is no list, nor for numbers, whose order tells."""
    found = [item for part in _GIVEN.split(text) if (item := tokens(part))]
    is_list = 1 < len(found) <= _MOST_ITEMS and not all(word[0].isdigit() for item in found for word in item)
    return found if is_list else []


def lists(text: str, phrase: str, ordered: bool = False) -> bool:
    """Whether a text names the items of a list one after another, in any order unless `ordered`."""
    wanted = items(phrase)
    if not wanted:
        return False
    said = [tokens(part) for part in _SAID.split(text)]
    return any(_is(said[k : k + len(wanted)], wanted, ordered) for k in range(len(said) - len(wanted) + 1))


def reorders(a: str, b: str) -> bool:
    """Whether two lists have the same items in another order."""
    left, right = items(a), items(b)
    return left != right and bool(left) and sorted(left) == sorted(right)


def _is(said: Sequence[list[str]], wanted: Sequence[list[str]], ordered: bool) -> bool:
    """Whether these parts are the items; before the first one and behind the last one other words may stand."""
    (first, *middle), last = said[:-1], said[-1]
    for a, opening in enumerate(wanted[:1] if ordered else wanted):
        if first[-len(opening) :] != opening:
            continue
        rest = [*wanted[:a], *wanted[a + 1 :]]
        for b, closing in enumerate(rest):
            if ordered and b < len(rest) - 1:
                continue
            between = [*rest[:b], *rest[b + 1 :]]
            same = middle == between if ordered else sorted(middle) == sorted(between)
            if same and last[: len(closing)] == closing:
                return True
    return False
