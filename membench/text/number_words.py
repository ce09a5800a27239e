"""Numbers that English writes in words, read as digits: forty is 40, twenty-first is 21st, 5 million is 5000000."""

from __future__ import annotations

from decimal import Decimal

import regex

_ONES = "zero one two three four five six seven eight nine ten eleven twelve"
_TEENS = "thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_BELOW_TWENTY = f"{_ONES} {_TEENS}".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905
_SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_ODD_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
_VALUES = {
    **{word: value for value, word in enumerate(_BELOW_TWENTY)},
    **{word: 10 * value for value, word in enumerate(_TENS, 2)},
    **_SCALES,
}
_ORDINALS = {_ODD_ORDINALS.get(word, f"{word}th".replace("yth", "ieth")): word for word in _VALUES}
_SUFFIXES = {1: "st", 2: "nd", 3: "rd"}


def _any(words: list[str]) -> str:
    return f"(?:{'|'.join(words)})"


def _ordinals(words: list[str]) -> str:
    return _any([ordinal for ordinal, word in _ORDINALS.items() if word in words])


_UNIT, _TEEN = _BELOW_TWENTY[1:10], _BELOW_TWENTY[10:]
_SMALL = rf"(?:{_any(_TENS)}(?:[ -]{_any(_UNIT)})?|{_any(_TEEN)}|{_any(_UNIT)})\b"
_HUNDRED = rf"(?:{_SMALL}[ -])?hundred\b"
_BELOW_THOUSAND = rf"(?:{_HUNDRED}(?:[ -](?:and[ -])?{_SMALL}(?![ -]hundred\b))?|{_SMALL})"
_SCALE = rf"{_any([word for word in _SCALES if word != 'hundred'])}\b"
_DIGITS = r"\d+(?:\.\d+)?(?!\w)"
_CARDINAL = (
    rf"(?:(?:(?:{_BELOW_THOUSAND}|{_DIGITS})[ -])?{_SCALE}"
    rf"(?:,?[ -](?:and[ -])?(?:{_BELOW_THOUSAND})[ -]{_SCALE})*(?:[ -](?:and[ -])?{_BELOW_THOUSAND})?"
    rf"|{_DIGITS}[ -]hundred\b|{_BELOW_THOUSAND}|zero\b)"
)
_ORDINAL = (  # "thirty second" with a space may be a time
    rf"(?:{_HUNDRED}[ -](?:and[ -])?)?(?:{_any(_TENS)}(?:-{_ordinals(_UNIT)}|[ ](?!second){_ordinals(_UNIT)})"
    rf"|{_ordinals(_TENS)}|{_ordinals(_TEEN)}|{_ordinals(_UNIT)})|(?:{_SMALL}[ -])?{_ordinals(list(_SCALES))}"
)
_MODAL = "can|could|may|might|must|shall|should|will|would|cannot"
_NO_NUMBER = (  # "one" and "second" that count nothing
    rf"(?:(?<=\b(?:no|any|every|some|each|this|that|which|another|the)[ -])one\b(?![ -](?:hundred|{_SCALE}))"
    rf"|one(?=[ ](?:another|of|who|{_MODAL})\b|'s)"
    rf"|(?<=(?:\d|\b(?:per|{'|'.join(_VALUES)}))[ -])second)\b"
)
_NUMBER = regex.compile(
    rf"(?<![\w.,/:])(?!{_NO_NUMBER})(?:(?P<ordinal>{_ORDINAL})|(?P<cardinal>{_CARDINAL}))(?!\w)", regex.IGNORECASE
)
_WORD = regex.compile(r"[a-z]+|[\d.]+", regex.IGNORECASE)


def read_numbers(text: str) -> str:
    """A text with digits in place of English number words, cardinal and ordinal, up to trillions."""
    read: str = _NUMBER.sub(lambda match: _digits(match[0].lower(), bool(match["ordinal"])), text)
    return read


def _digits(phrase: str, ordinal: bool) -> str:
    total, group = Decimal(0), Decimal(0)
    for word in _WORD.findall(phrase):
        word = _ORDINALS.get(word, word)
        if word == "hundred":
            group = 100 * (group or Decimal(1))
        elif word in _SCALES:
            total, group = total + _SCALES[word] * (group or 1), Decimal(0)
        elif word != "and":
            group += Decimal(_VALUES.get(word, word))
    value = f"{(total + group).normalize():f}"
    return value + (_SUFFIXES.get(int(value) % 10, "th") if int(value) % 100 not in (11, 12, 13) else "th") * ordinal
