"""Numbers that English writes in words, read as digits where another text has them so: forty is 40, first is 1st.

Nothing is read that would not make two texts share a number. Where that number is all that is looked for, words that
often count nothing ("one", "a third") are read only where they are all that is said.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

import regex

from membench.text.fold import MARKS, unify

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
_ENGLISH = frozenset("the and were with from there they that this his their people years about which".split())  # noqa: SIM905
_SHORT = 4  # words of a text that need not show that it is English
_ELSEWHERE = frozenset({"ten", "one"})  # words of other languages, too


def _any(words: list[str]) -> str:
    return f"(?:{'|'.join(words)})"


def _ordinals(words: list[str]) -> str:
    return _any([ordinal for ordinal, word in _ORDINALS.items() if word in words])


_AND = r"(?:[ ]and[ ]|[ -])"
_UNIT, _TEEN = _BELOW_TWENTY[1:10], _BELOW_TWENTY[10:]
_NOT_ONE = r"(?!one[ ](?:of|who|another)\b)"
_SCALE = rf"[ -]{_any(list(_SCALES))}\b"
_SMALL = rf"(?:{_any(_TENS)}(?:[ -]{_any(_UNIT)})?|{_any(_TEEN)}|{_any(_UNIT)})\b"
_TENTHS = rf"{_any(_TENS)}(?:[ -]{_any(_UNIT)})?"
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
_FRACTION = rf"(?!(?:[ -]|[ ]and[ ]an?[ ])(?:half|quarter|{'|'.join(list(_ORDINALS)[3:])})s?\b)"
_ORDINAL = (
    rf"(?:{_SMALL}[ -]hundred{_AND})?(?:{_any(_TENS)}(?:-{_ordinals(_UNIT)}|[ ](?!second){_ordinals(_UNIT)})"
    rf"|{_ordinals(_TENS)}|{_ordinals(_TEEN)}|{_ordinals(_UNIT)})|(?:{_SMALL}[ -])?{_ordinals(list(_SCALES))}"
)
_YEAR = (
    rf"(?P<century>{_any(_TEEN[3:])}|twenty)[ -](?:oh[ -](?P<early>{_any(_UNIT)})|(?P<late>{_TENTHS}|{_any(_TEEN)}))"
)
_NUMBER = regex.compile(
    rf"(?<![\p{{Latin}}\p{{N}}-])(?<!\d[.,/:])(?<!\b(?:point|minus|negative|oh)[ ])"
    r"(?!(?<=\b(?:half|few|several|many|some) )a?[ ]?(?:hundred|thousand|million|billion)\b)"
    rf"(?:(?P<year>{_YEAR})(?!-|{_SCALE})|(?P<ordinal>{_ORDINAL})|(?P<cardinal>{_LARGE}|{_BELOW_THOUSAND}|zero){_FRACTION})"
    r"(?![\p{L}\p{N}]|[ ](?:point|oh)\b)",
    regex.IGNORECASE,
)
_WORD = regex.compile(r"[a-z]+|[\d.,]+", regex.IGNORECASE)
_SPACES = regex.compile(r"[^\S\n]+")
_LEAD = regex.compile(
    r"^\W*(?:(?:the answer is|answer|it is|it was|it's|there (?:is|are|was|were)|only|exactly|just|about|number)\W+)*"
    r"(?:the )?",
    regex.IGNORECASE,
)
_DIGIT = regex.compile(r"\d")
_WRITTEN = regex.compile(
    r"(?<![\p{L}\d.,/:-])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:st|nd|rd|th)?(?![\p{L}\d]|[.,/:]\d)"
)


def read_alike(text: str, phrase: str, surely: bool = False) -> tuple[str, str] | None:
    """Both with their number words read, where some number then stands in both that one of them has in words.

    `surely`: not what is a number only because the words beside it are those of the phrase.
    """
    if not (_DIGIT.search(text) or _DIGIT.search(phrase)):
        return None
    read = read_numbers(phrase)
    alone = _WRITTEN.fullmatch(read.strip().lstrip("$")) is not None  # there are no words beside it
    pair = read_numbers(text, surely or alone), read
    return pair if (_numbers(pair[0]) & _numbers(read)) - (_numbers(text) & _numbers(phrase)) else None


@lru_cache(maxsize=8192)
def read_numbers(text: str, surely: bool = False) -> str:
    """An English text with digits in place of number words, cardinal and ordinal, up to trillions.

    `surely`: only in what shows that it is English or is short, and without "one" and ordinals unless they are all that
    is said.
    """
    plain = _SPACES.sub(" ", unify(text).translate(MARKS)).replace("_", " ")
    words = set(plain.lower().split())
    english = not _ENGLISH.isdisjoint(words)
    seldom = {"one"} if english else _ELSEWHERE
    whole = _LEAD.sub("", plain).strip(" .,!?;:\"'\n")
    if surely and not english and len(words) > _SHORT and not _NUMBER.fullmatch(whole):
        return text

    def digits(match: regex.Match[str]) -> str:
        doubtful = match["ordinal"] or match[0].lower() in seldom
        return match[0] if surely and doubtful and match[0] != whole else _digits(match)

    read: str = _NUMBER.sub(digits, plain)
    return read


def _numbers(text: str) -> set[str]:
    return {match[0].lower().replace(",", "") for match in _WRITTEN.finditer(text)}


def _digits(match: regex.Match[str]) -> str:
    if match["year"]:
        return f"{_value(match['century'].lower())}{_value((match['early'] or match['late']).lower()):0>2}"
    value = _value(match[0].lower())
    if not match["ordinal"]:
        return value
    return value + (_SUFFIXES.get(int(value) % 10, "th") if int(value) % 100 not in (11, 12, 13) else "th")


def _value(phrase: str) -> str:
    total, group = Decimal(0), Decimal(0)
    for word in _WORD.findall(phrase):
        word = _ORDINALS.get(word, word)
        if word == "hundred":
            group = 100 * (group or Decimal(1))
        elif word in _SCALES:
            total, group = total + _SCALES[word] * (group or Decimal(1)), Decimal(0)
        elif word not in ("and", "a"):
            group += Decimal(_VALUES.get(word, word.replace(",", "")))
    return f"{(total + group).normalize():f}"
