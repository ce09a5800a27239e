"""Comparing answers: their normal form, and whether a text names a phrase, on word boundaries in every script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import regex

from membench.text.phrases import ARTICLES, SOFT, SPACE, Part, is_english, parts, without_articles

Form = tuple[tuple[str, bool], ...]  # words, each with whether a phrase may begin there
Items = tuple[Form, ...]  # a phrase; of a list its items, which may stand in any order

_BETWEEN = regex.compile(r"(?:\s*(?:(?<!\d),|,(?!\d)|[;\n、，；،])\s*)+(?:(?:and|&)\s+)?|\s+(?:and|&)\s+")
_JOINERS = frozenset("and et und y e i och og en и і та 和 与 と 및 และ".split())  # noqa: SIM905
_MOST_ITEMS = 12  # a longer text with commas is prose


def tokens(text: str, english: bool | None = None) -> list[str]:
    """The words of an answer's normal form; for ASCII letters those of the SQuAD evaluation (Rajpurkar et al. 2016).

    `english` says whether articles go; by default where the text has Latin letters alone.
    """
    kept = without_articles(text, is_english(text) if english is None else english)
    return [word for word, _ in _merged(kept, SPACE)]


def normalise(text: str, english: bool | None = None) -> str:
    """An answer's normal form, spaces between its words; marks alone are kept, so that only an empty text gives ""."""
    return " ".join(tokens(text, english))


def same(a: str, b: str) -> bool:
    """Whether two answers have one normal form."""
    english = is_english(a, b)
    return tokens(a, english) == tokens(b, english) != []


def reorders(a: str, b: str) -> bool:
    """Whether two lists have the same items in another order."""
    left, right = ([normalise(item) for item in _items(text)] for text in (a, b))
    return len(left) > 1 and left != right and sorted(left) == sorted(right)


def names(text: str, phrase: str, others: Sequence[str] = (), ordered: bool = False) -> bool:
    """Whether a text names a phrase other than as a part of one of `others` there.

    Words are compared whole: "3" is not in "38", "profit" not in "non-profit". A hyphen, an apostrophe or a stop inside
    a word makes no difference, nor does an article before a word, unless the phrase is one. The items of a list may
    stand in another order unless it is `ordered`, one right behind the other.
    """
    english = is_english(text, phrase, *others)
    wanted = list(_phrases(phrase, english))
    hidden = [list(_phrases(other, english)) for other in sorted(others, key=len, reverse=True)]
    for k, said in enumerate(_forms(text, english)):
        whole = wanted[k][0][0]
        if not said or not whole or (k > 1 and len(whole) == 1 and whole[0][0] in ARTICLES):
            continue
        rest = said
        for kinds in hidden:
            for items in (*kinds[k % 2], *kinds[k % 2 + 2]):
                rest = _without(rest, items, ordered)
        if any(next(_places(rest, items, ordered), None) for items in wanted[k]):
            return True
    return False


def _phrases(phrase: str, english: bool) -> Iterator[tuple[Items, ...]]:
    """For each of its forms a phrase as one item and, where it is a list, as several."""
    items = _items(phrase)
    if not 1 < len(items) <= _MOST_ITEMS:
        yield from (((form,),) for form in _forms(phrase, english))
        return
    for form, *several in zip(*(_forms(part, english) for part in (phrase, *items)), strict=True):
        yield (form,), tuple(several)


def _items(text: str) -> list[str]:
    return [item for item in _BETWEEN.split(text) if item]


def _forms(text: str, english: bool) -> Iterator[Form]:
    """Without articles, then with them: words as one, then apart where a mark stands inside."""
    for some in (without_articles(text, english), parts(text)):
        yield _merged(some, SOFT)
        yield tuple((part.word, part.joint != SOFT) for part in some)


def _merged(some: Sequence[Part], joint: int) -> Form:
    """Words run together where no more than the marks of this kind of joint stand between; SPACE: where none is."""
    out: list[str] = []
    for part in some:
        glued = part.joint != SPACE if joint == SPACE else part.joint == joint
        if glued and out:
            out[-1] += part.word
        else:
            out.append(part.word)
    return tuple((word, True) for word in out)


def _places(text: Form, items: Items, ordered: bool) -> Iterator[range]:
    """Where a phrase stands in a text; it begins and ends where a word does."""
    if all(items):
        for start, (_, begins) in enumerate(text):
            if begins and (end := _end(text, start, items, ordered)):
                yield range(start, end)


def _end(text: Form, start: int, items: Items, ordered: bool) -> int:
    """Where a phrase that begins here ends, its items in any order unless `ordered`; 0 where none does."""
    for k, item in enumerate(items[:1] if ordered else items):
        end = start + len(item)
        if start == len(text) or text[start][0] != item[0][0] or not _begins(text, end):
            continue
        if [word for word, _ in text[start:end]] != [word for word, _ in item]:
            continue
        if len(items) == 1:
            return end
        while end < len(text) and text[end][0] in _JOINERS:
            end += 1
        if last := _end(text, end, (*items[:k], *items[k + 1 :]), ordered):
            return last
    return 0


def _begins(text: Form, place: int) -> bool:
    return place == len(text) or (place < len(text) and text[place][1])


def _without(text: Form, items: Items, ordered: bool) -> Form:
    """A text with a mark that no phrase spans in the place of each word of the phrase."""
    gone = {k for place in _places(text, items, ordered) for k in place}
    return tuple(("", True) if k in gone else pair for k, pair in enumerate(text)) if gone else text
