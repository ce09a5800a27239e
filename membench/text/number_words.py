"""Numbers that English writes in words, read as digits where another text has them so: forty is 40, first is 1st.

Words that are numbers in some texts only ("one", "second", "hundred", "ten" in Polish) are read where what stands
around them says so, and nothing is read that would not make two texts share a number.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

import regex

_ONES = "zero one two three four five six seven eight nine ten eleven twelve"
_TEENS = "thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_BELOW_TWENTY = f"{_ONES} {_TEENS}".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905
_SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_VALUES = {
    **{word: value for value, word in enumerate(_BELOW_TWENTY)},
    **{word: 10 * value for value, word in enumerate(_TENS, 2)},
    **_SCALES,
}
_ODD_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
_ORDINALS = {_ODD_ORDINALS.get(word, f"{word}th".replace("yth", "ieth")): word for word in _VALUES}
_SUFFIXES = {1: "st", 2: "nd", 3: "rd"}
_ENGLISH = frozenset("the and were are has have with from there they that this his their people years about".split())  # noqa: SIM905
_SHORT = 4  # words of a text that need not show that it is English


def _any(words: list[str]) -> str:
    return f"(?:{'|'.join(words)})"


def _ordinals(words: list[str]) -> str:
    return _any([ordinal for ordinal, word in _ORDINALS.items() if word in words])


_AND = r"(?:[ ]and[ ]|[ -])"
_UNIT, _TEEN = _BELOW_TWENTY[1:10], _BELOW_TWENTY[10:]
_NOT_ONE = r"(?!one[ ](?:of|who|another)\b)"
_SCALE = rf"[ -]{_any(list(_SCALES))}\b"
_SMALL = rf"(?:{_any(_TENS)}(?:[ -]{_any(_UNIT)})?|{_any(_TEEN)}|{_any(_UNIT)})\b"
_BELOW_THOUSAND = rf"(?:(?:{_SMALL}|\d{{1,2}}|a)[ -]hundred\b(?:{_AND}{_NOT_ONE}{_SMALL}(?!{_SCALE}))?|{_SMALL})"
_DIGITS = r"(?:\d{1,15}|\d{1,3}(?:,\d{3}){1,4})(?:\.\d{1,6})?"


def _group(scale: str) -> str:
    return rf"(?:{_BELOW_THOUSAND}|{_DIGITS}|a)[ -]{scale}\b"


_LARGE = "|".join(  # falling scales, and what is below a thousand
    _group(scale)
    + "".join(rf"(?:[ ]{_group(lower)})?" for lower in below)
    + rf"(?:{_AND}{_BELOW_THOUSAND}(?!{_SCALE}))?"
    for scale, *below in (("trillion", "billion", "million", "thousand"), ("billion", "million", "thousand"),
                          ("million", "thousand"), ("thousand",))
)  # fmt: skip
_FRACTION = rf"(?![ -](?:half|quarter|{'|'.join(list(_ORDINALS)[3:])})s?\b)"
_ORDINAL = (
    rf"(?:{_SMALL}[ -]hundred{_AND})?(?:{_any(_TENS)}(?:-{_ordinals(_UNIT)}|[ ](?!second){_ordinals(_UNIT)})"
    rf"|{_ordinals(_TENS)}|{_ordinals(_TEEN)}|{_ordinals(_UNIT)})|(?:{_SMALL}[ -])?{_ordinals(list(_SCALES))}"
)
_FUNCTION = "of|who|which|that|another|and|or|is|was|has|had|does|did|can|could|may|might|must|should|would|to|in|on|at"
_BEFORE_ONE = r"\A|\b(?:is|are|was|were|has|have|had|only|just)[ ]"
_NO_NUMBER = (  # what counts nothing here
    rf"(?:(?<!{_BEFORE_ONE})one(?=$|[ ](?:{_FUNCTION})\b|[^\w\s-])|one(?=[ ](?:{_FUNCTION})\b|'s)"
    r"|(?<=\b(?:no|any|every|some|each|this|that|which|another|the)[ -])one"
    rf"|(?<=(?:\d|\b(?:a|last|next|per|split|{'|'.join(_VALUES)}))[ -])second|(?<=\bat )first"
    r"|(?<=\b(?:half|few|several|many|some) )a?[ ]?(?:hundred|thousand|million|billion))\b"
)
_NUMBER = regex.compile(
    rf"(?<![\p{{Latin}}\p{{N}}-])(?<!\d[.,/:])(?!{_NO_NUMBER})"
    rf"(?:(?P<ordinal>{_ORDINAL})|(?P<cardinal>{_LARGE}|{_BELOW_THOUSAND}|zero){_FRACTION})(?![\p{{L}}\p{{N}}])",
    regex.IGNORECASE,
)
_WORD = regex.compile(r"[a-z]+|[\d.,]+", regex.IGNORECASE)
_DIGIT = regex.compile(r"\d")
_WRITTEN = regex.compile(
    r"(?<![\p{L}\d.,/:-])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:st|nd|rd|th)?(?![\p{L}\d]|[.,/:]\d)"
)


def read_alike(a: str, b: str) -> tuple[str, str] | None:
    """Both texts with their number words read, where some number then stands in both that one of them has in words."""
    if not (_DIGIT.search(a) or _DIGIT.search(b)):
        return None
    read = read_numbers(a), read_numbers(b)
    return read if (_numbers(read[0]) & _numbers(read[1])) - (_numbers(a) & _numbers(b)) else None


@lru_cache(maxsize=8192)
def read_numbers(text: str) -> str:
    """An English text with digits in place of number words, cardinal and ordinal, up to trillions."""
    plain = " ".join(text.split())
    if len(plain.split()) > _SHORT and _ENGLISH.isdisjoint(plain.lower().split()):
        return text
    read: str = _NUMBER.sub(lambda match: _digits(match[0].lower(), bool(match["ordinal"])), plain)
    return read


def _numbers(text: str) -> set[str]:
    return {match[0].lower().replace(",", "") for match in _WRITTEN.finditer(text)}


def _digits(phrase: str, ordinal: bool) -> str:
    total, group = Decimal(0), Decimal(0)
    for word in _WORD.findall(phrase):
        word = _ORDINALS.get(word, word)
        if word == "hundred":
            group = 100 * (group or Decimal(1))
        elif word in _SCALES:
            total, group = total + _SCALES[word] * (group or Decimal(1)), Decimal(0)
        elif word not in ("and", "a"):
            group += Decimal(_VALUES.get(word, word.replace(",", "")))
    value = f"{(total + group).normalize():f}"
    if not ordinal:
        return value
    return value + (_SUFFIXES.get(int(value) % 10, "th") if int(value) % 100 not in (11, 12, 13) else "th")
