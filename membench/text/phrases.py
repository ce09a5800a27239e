"""An answer's parts: its words, numbers and symbols, and how they stand together.

Beside the published normal form (Rajpurkar et al. 2016) this keeps what tells answers apart: the marks inside numbers
and times, signs, units, `C++` and `C#`, articles that are no articles ("Vitamin A"), and words of every script.
"""

from __future__ import annotations

import html
import itertools
from functools import lru_cache
from typing import NamedTuple

import regex

from membench.text.fold import MARKS, recase, unify
from membench.text.words import CHARACTER, SCRIPTS

SPACE, STUCK, SOFT = range(3)  # how a part stands behind the one before: apart, behind a mark, as part of one word
ARTICLES = frozenset({"a", "an", "the"})
_SMALL = frozenset(
    "who which what that this it he she they we you i one no not and or".split()  # noqa: SIM905
)

_ENTITY = regex.compile(r"&(?:#\d+|#x[0-9a-f]+|[a-z]+\d*);", regex.IGNORECASE)
_STEPS = tuple(
    (regex.compile(pattern, regex.V1), new)
    for pattern, new in (
        (r"(?<=\d)[ ]*[—―][ ]*(?=\d)|(?<=\d)[ ]+-[ ]+(?=\d)", "-"),  # a range, whatever its dash
        (r"[—―]", " "),
        (r"(?<=\d)[ ]*([\p{Sc}--\$])(?!\d)", r"\1"),
        (r"(?<![\d.,\p{Sc}])(\d[\d.,]*)([\p{Sc}--\$])", r"\2\1"),  # 5 € is €5
        (r"(?<=[\p{Sc}--\$])[ ]+(?=\d)", ""),
        (r"(?<![\w.,])(\d{1,3}),(\d{1,2}|\d{4,})(?!\d|[.,]\d)", r"\1.\2"),  # a decimal comma
        (r"(?<![\w.])\.(?=\d)", "0."),
        (r"(?<=\d)[ ]*%", " percent"),
    )
)
_WIDE_THOUSANDS = regex.compile(r"(?<!\d)\d{1,3}(?:[\u00a0\u2009\u202f]\d{3})+(?!\d)")
_THOUSANDS = regex.compile(r"(?<![\d.,])\d{1,3}(?:[,']\d{2,3})*[,']\d{3}(?!\d|[,']\d)")
_PART = regex.compile(
    r"(?P<number>(?:(?<![^\s(\[{\"'=~:;,/\p{Sc}])-(?=\p{Sc}?\d))?"  # a sign
    r"(?:\$|[\p{Sc}--\$])?\d+(?:[.:/^*=×+-]\d+)*\+?)"
    rf"|(?P<word>[[\p{{L}}\p{{M}}\p{{Nl}}\p{{No}}]--[{SCRIPTS}]]+(?:\+{{1,2}}(?![\w+])|\#(?!\w))?"
    r"(?:(?<=\b(?:[A-FO]|AB))-(?=[\s.,;!?)]|$))?)"
    rf"|(?P<character>{CHARACTER})"
    r"|(?P<symbol>(?=[[\p{S}‰‱]--[\x00-\x7f]])\X|(?<![^\s(])[<>]=?(?=-?\d))",
    regex.V1,
)
_OTHER_LETTER = regex.compile(r"[\p{L}--\p{Latin}]", regex.V1)
_BEFORE_A_WORD = regex.compile(r"\s+[\"'(\[{*_“‘«]*")


class Part(NamedTuple):
    """A word in folded case, how it stands behind the one before, and whether it is an article before a word."""

    word: str
    joint: int
    article: bool


@lru_cache(maxsize=8192)
def parts(text: str) -> tuple[Part, ...]:
    """The parts of a text; of one that holds nothing but marks ("%"), these as one part; none of an empty text."""
    plain = _tidy(text)
    found = list(_PART.finditer(plain))
    if not found:
        marks = " ".join(recase(plain).split())
        return (Part(marks, SPACE, False),) if marks else ()
    gaps = [plain[a.end() : b.start()] for a, b in itertools.pairwise(found)]
    joints = [SPACE, *(_joint(a, b, gap) for a, b, gap in zip(found, found[1:], gaps, strict=False))]
    words = [recase(match[0].replace("$", "")) for match in found]
    return tuple(
        Part(word, joint, word in ARTICLES and joint == SPACE and _is_article(found, gaps, k))
        for k, (word, joint) in enumerate(zip(words, joints, strict=True))
    )


def is_english(*texts: str) -> bool:
    """Whether these texts may be English: they have no letter of another script than the Latin one."""
    return not any(map(_has_other_letter, texts))


@lru_cache(maxsize=8192)
def _has_other_letter(text: str) -> bool:
    return _OTHER_LETTER.search(text) is not None


def without_articles(text: str, english: bool) -> tuple[Part, ...]:
    """The parts without articles before a word, where the text is English and more than small words is left."""
    whole = parts(text)
    left = tuple(part for part in whole if not part.article) if english else whole
    return whole if all(part.word in _SMALL | ARTICLES for part in left) else left


def _tidy(text: str) -> str:
    """Characters in one form; dashes, currencies, percents and the marks of thousands in one notation."""
    if "&" in text:
        text = _ENTITY.sub(lambda match: html.unescape(match[0]), text)
    text = _WIDE_THOUSANDS.sub(lambda match: regex.sub(r"\D", "", match[0]), text)
    plain: str = _THOUSANDS.sub(lambda match: regex.sub(r"\D", "", match[0]), unify(text).translate(MARKS))
    for pattern, new in _STEPS:
        plain = pattern.sub(new, plain)
    return plain


def _joint(left: regex.Match[str], right: regex.Match[str], gap: str) -> int:
    kinds = {left.lastgroup, right.lastgroup}
    if not gap.isascii() or any(map(str.isspace, gap)) or not kinds <= {"number", "word"}:
        return SPACE
    if not gap:
        return SOFT
    if kinds == {"number"}:
        return SPACE
    return SOFT if len(gap) == 1 and gap in "'.-_&" else STUCK


def _is_article(found: list[regex.Match[str]], gaps: list[str], k: int) -> bool:
    """Whether a word of an article's letters stands right before a word, and is no letter that names something."""
    if k == len(gaps) or not _BEFORE_A_WORD.fullmatch(gaps[k]) or found[k + 1][0].lower() in ("and", "or"):
        return False
    names = found[k][0] == "A" and k > 0 and gaps[k - 1].isspace() and not found[k + 1][0][0].isupper()
    return not names
