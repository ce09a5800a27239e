"""Words of a text in any script, and cuts between them.

Where a script puts no space between words (Chinese, Japanese, Thai, Khmer, …) and in Korean, whose words carry endings,
every character with its marks is a word of its own.
"""

from __future__ import annotations

import re
from itertools import islice

import regex

from membench.text.fold import fold

SCRIPTS = (  # without spaces, as in a class of characters
    r"\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Hangul}\p{Yi}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tai_Le}"
    r"\p{New_Tai_Lue}\p{Tai_Tham}\p{Tai_Viet}\p{Javanese}\p{Balinese}\u30fc\u3005-\u3007"
)
CHARACTER = rf"(?=[{SCRIPTS}])\X"  # of a script without spaces; a part of patterns, as the next
LETTERS = rf"[[\p{{L}}\p{{M}}\p{{N}}]--[{SCRIPTS}]]"
_WORD = regex.compile(rf"(?:{LETTERS}|_)+|{CHARACTER}", regex.V1)
_UNIT = regex.compile(rf"[^\s{SCRIPTS}]+|{CHARACTER}[^\w\s]*", regex.V1)
_CHARACTER = regex.compile(CHARACTER)
_PLAIN = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """The words of a folded text, without punctuation; for looking a text up and comparing it with another."""
    plain = fold(text)
    return _PLAIN.findall(plain) if plain.isascii() else _WORD.findall(plain)


def count_words(text: str) -> int:
    """How long a text is: what stands between spaces, and each character of a script without them."""
    return len(text.split()) if text.isascii() else sum(1 for _ in _UNIT.finditer(text))


def first_words(text: str, count: int) -> str:
    """The first so many words as they are written, as `count_words` counts, with single spaces between them."""
    if text.isascii():
        return " ".join(text.split()[:count])
    last = next(islice(_UNIT.finditer(text), max(0, count - 1), None), None)
    return " ".join((text[: last.end()] if last and count else text if count else "").split())


def is_spaced(text: str) -> bool:
    """Whether spaces part all words of a text."""
    return text.isascii() or not _CHARACTER.search(text)


def word_starts(text: str) -> list[int]:
    """Where a text may begin when its beginning is cut off: 0, behind each space, and at characters without spaces."""
    behind = {i + 1 for i, character in enumerate(text) if character == " "}
    characters = () if text.isascii() else (match.start() for match in _CHARACTER.finditer(text))
    return sorted({0, *behind, *characters})
