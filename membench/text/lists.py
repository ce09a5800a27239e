"""Lists in an answer: "red, green" is what "green and red" says, where their order tells nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import regex

from membench.text.mentions import tokens
from membench.text.number_words import read_numbers

_JOINERS = "and|&|et|und|y|e|i|och|og|en|и|і"
_MARK = r" ?(?:(?<!\d),|,(?!\d)|[;\n、，；،]) ?"
_HAN_OR_KATAKANA = r"[\p{Han}\p{Katakana}ー]"  # between kana words it is a part of them
_APART = regex.compile(
    rf"(?:{_MARK})+(?:(?:{_JOINERS}) )?| (?:{_JOINERS}) |(?<=\p{{Han}})[和与](?=\p{{Han}})"
    rf"|(?<={_HAN_OR_KATAKANA})と(?={_HAN_OR_KATAKANA})| と | ?및 ?| و "
)
_SENTENCES = regex.compile(r"(?<=[.!?。！？]) |[;\n]")
_SPACES = regex.compile(r"[^\S\n]+")
_MOST_ITEMS = 12  # a longer text with commas is prose

Items = Sequence[tuple[str, ...]]


@lru_cache(maxsize=8192)
def items(text: str) -> Items:
    """The items of a list, each in its normal form; none for what is no list, nor for numbers, whose order tells."""
    found = tuple(item for part in _APART.split(_plain(text)) if (item := tokens(part)))
    numbers = sum(any(map(str.isdigit, read_numbers(" ".join(item)))) for item in found)
    return found if 1 < len(found) <= _MOST_ITEMS and not numbers else ()


def lists(text: str, phrase: str, ordered: bool = False) -> bool:
    """Whether a text names the items of a list one after another, in any order unless `ordered`."""
    return without_list(text, phrase, ordered) is not None


def without_list(text: str, phrase: str, ordered: bool = False) -> str | None:
    """What a text says beside the items of a list, in its normal form; None where it does not name them all.

    They begin or end a sentence. Two items that a comma alone parts may be one thing ("Paris, Texas"): another order of
    these is the whole sentence.
    """
    wanted = items(phrase)
    if not wanted:
        return None
    pair = len(wanted) == 2 and "," in phrase
    sentences = [sentence for sentence in _SENTENCES.split(_plain(text)) if sentence.strip()]
    for place, sentence in enumerate(sentences):
        for rest in _beside([tokens(part) for part in _APART.split(sentence)], wanted, ordered, whole=pair):
            return " ".join([*sentences[:place], rest, *sentences[place + 1 :]])
    return None


def reorders(a: str, b: str) -> bool:
    """Whether two lists have the same items in another order."""
    left, right = items(a), items(b)
    return left != right and bool(left) and sorted(left) == sorted(right)


def _plain(text: str) -> str:
    plain: str = _SPACES.sub(" ", text)
    return plain


def _beside(said: Items, wanted: Items, ordered: bool, whole: bool) -> Iterator[str]:
    """What stands beside the list in a sentence, for each place where it stands."""
    for k in range(len(said) - len(wanted) + 1):
        before, window, behind = said[:k], said[k : k + len(wanted)], said[k + len(wanted) :]
        for lead, tail in _ends(window, wanted, ordered):
            begins, ends = not (any(before) or lead), not (any(behind) or tail)
            if (begins and ends) or (not whole and (begins or ends)):
                yield " ".join(word for part in (*before, lead, tail, *behind) for word in part)


def _ends(window: Items, wanted: Items, ordered: bool) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    """The words before the first item and behind the last one, if these parts are the items otherwise."""
    (first, *middle), last = window[:-1], window[-1]
    for a, opening in enumerate(wanted[:1] if ordered else wanted):
        if first[-len(opening) :] != opening:
            continue
        rest = [*wanted[:a], *wanted[a + 1 :]]
        for b, closing in enumerate(rest):
            between = [*rest[:b], *rest[b + 1 :]]
            alike = middle == between and b == len(rest) - 1 if ordered else sorted(middle) == sorted(between)
            if alike and last[: len(closing)] == closing:
                yield first[: -len(opening)], last[len(closing) :]
