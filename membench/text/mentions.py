"""Comparing answers: their normal form, and whether a text names a phrase, on word boundaries in every script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import regex

from membench.text.number_words import read_alike, read_numbers
from membench.text.phrases import ARTICLES, SOFT, SPACE, Part, is_english, parts, without_articles

_SHORT = 8  # characters of "no" and "one" with marks around them
_TOGETHER = regex.compile(r"(?<!\w)no[^\S\n]+(?=(?:one|doubt|matter)(?![\w-]))", regex.IGNORECASE)  # says no "no"
Form = tuple[tuple[str, bool], ...]  # words, each with whether a phrase may begin there


@lru_cache(maxsize=8192)
def tokens(text: str, english: bool | None = None) -> tuple[str, ...]:
    """The words of an answer's normal form; for ASCII letters those of the SQuAD evaluation (Rajpurkar et al. 2016).

    `english` says whether articles go; by default where the text has Latin letters alone.
    """
    kept = without_articles(text, is_english(text) if english is None else english)
    return tuple(word for word, _ in _merged(kept, SPACE))


def normalise(text: str, english: bool | None = None) -> str:
    """An answer's normal form, spaces between its words; marks alone are kept, so that only an empty text gives ""."""
    return " ".join(tokens(text, english))


def same(a: str, b: str) -> bool:
    """Whether two answers have one normal form, or do once numbers in English words are read."""
    return _same(a, b) or ((read := read_alike(a, b)) is not None and _same(*read))


def _same(a: str, b: str) -> bool:
    english = is_english(a, b)
    return tokens(a, english) == tokens(b, english) != ()


def names(text: str, phrase: str, others: Sequence[str] = ()) -> bool:
    """Whether a text names a phrase other than as a part of one of `others` there.

    Words are compared whole: "3" is not in "38", "profit" not in "non-profit". A hyphen, an apostrophe or a stop inside
    a word makes no difference, nor does an article before a word, unless the phrase is one. "no" is not in "no one".
    A number in English words is also what its digits are.
    """
    if len(phrase) < _SHORT and normalise(phrase) in ("no", "one"):
        text = _TOGETHER.sub("no-", text)
    for other in others:  # digits that are a part of another phrase stand there in words, too
        if (read := read_alike(text, other)) and _names(*read, ()):
            return _names(read[0], read_numbers(phrase), [*others, *map(read_numbers, others)])
    if _names(text, phrase, others):
        return True
    alike = read_alike(text, phrase)
    return alike is not None and _names(*alike, [*others, *map(read_numbers, others)])


def _names(text: str, phrase: str, others: Sequence[str]) -> bool:
    english = is_english(text, phrase, *others)
    wanted = _forms(phrase, english)
    hidden = [_forms(other, english) for other in sorted(others, key=len, reverse=True)]
    for k, said in enumerate(_forms(text, english)):
        if not said or not wanted[k] or (k > 1 and len(wanted[k]) == 1 and wanted[k][0][0] in ARTICLES):
            continue
        rest = said
        for forms in hidden:
            for form in forms[k % 2 :: 2]:
                rest = _without(rest, form)
        if next(_places(rest, wanted[k]), None) is not None:
            return True
    return False


@lru_cache(maxsize=8192)
def _forms(text: str, english: bool) -> tuple[Form, ...]:
    """Without articles, then with them: words as one, then apart where a mark stands inside."""
    out = []
    for some in (without_articles(text, english), parts(text)):
        out += [_merged(some, SOFT), tuple((part.word, part.joint != SOFT) for part in some)]
    return tuple(out)


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


def _places(text: Form, phrase: Form) -> Iterator[int]:
    """Where a phrase stands in a text; it begins and ends where a word does."""
    size, words = len(phrase), [word for word, _ in phrase]
    for k in range(len(text) - size + 1 if size else 0):
        ends = k + size == len(text) or text[k + size][1]
        if text[k][1] and ends and [word for word, _ in text[k : k + size]] == words:
            yield k


def _without(text: Form, phrase: Form) -> Form:
    """A text with a mark that no phrase spans in the place of each word of the phrase."""
    gone = {k + i for k in _places(text, phrase) for i in range(len(phrase))}
    return tuple(("", True) if k in gone else pair for k, pair in enumerate(text)) if gone else text
