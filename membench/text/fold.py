"""One spelling for what readers take for the same characters."""

from __future__ import annotations

import unicodedata

import regex

# Beside what is not seen: the Arabic stretched line, and the box around a digit on a key.
_UNSEEN = regex.compile(r"[\p{Default_Ignorable_Code_Point}\p{Cf}\u0640\u20e3©®™℠]+")
_VOWELS = regex.compile(
    r"[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u0652\u0656-\u065f\u0670]+"
)
_RAISED = regex.compile(r"(?<=\p{Nd})[⁰¹²³⁴-⁹]+")
_BESIDE = regex.compile(r"(?<=\p{Nd})(?=[₀-₉¼-¾⅐-⅞])")  # 3½ is not 31/2
_PARTING = regex.compile(r"…|‥|(?<!\p{Nd})[！，．：；？]|[！，．：；？](?!\p{Nd})")  # NFKC gives marks that join words
_PLAIN = {ord("\u2044"): "/", ord("٪"): "%"}  # ½ is 1/2; the Arabic percent sign
MARKS = str.maketrans({**dict.fromkeys("‘’‚‛ʼ＇`´", "'"), **dict.fromkeys("‐‑‒–−﹣－", "-"), "٬": ",", "٫": "."})
_DIGIT = regex.compile(r"[\p{Nd}--[0-9]]", regex.V1)


def unify(text: str) -> str:
    """A text in compatibility form (NFKC), with ASCII digits and without characters that are not seen; case stays.

    Zero-width characters, soft hyphens, marks of direction, variation selectors and the vowel points of Arabic and
    Hebrew, which are mostly left out in writing, go; full-width letters become plain; raised digits behind a number
    stand behind `^`, so that 10² is not 102. ASCII text comes back as it is.
    """
    if text.isascii():
        return text
    parted = _PARTING.sub(lambda match: f"{match[0]} ", _UNSEEN.sub("", text))
    parted = _BESIDE.sub(" ", _RAISED.sub(lambda match: f"^{match[0]}", parted))
    composed = _VOWELS.sub("", unicodedata.normalize("NFKC", parted)).translate(_PLAIN)
    plain: str = _DIGIT.sub(lambda match: str(unicodedata.digit(match[0])), composed)
    return plain


def recase(text: str) -> str:
    """Folded case: what differs by case alone is the same; the two Turkish letters i are one."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", text.casefold().replace("i\u0307", "i").replace("ı", "i"))


def fold(text: str) -> str:
    """`unify` and `recase`: one spelling for what is read as the same."""
    return recase(unify(text))
