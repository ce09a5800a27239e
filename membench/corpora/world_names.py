"""Invented names and values: composed of syllables, so that no model has met them.

The roots of entities and of values begin with different syllables: no value is ever the name of an entity.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from functools import cache

from membench.corpora.world_kinds import WORDS

THIRD = ("", "o", "a", "en", "is", "us", "ia", "ek")  # once every root is used up
_FIRST_NAMES = [start + end for start in WORDS["first names"] for end in WORDS["ends of first names"]]


@cache
def _order(seed: int) -> tuple[str, ...]:
    roots = [first + second for first in WORDS["roots of entities"] for second in WORDS["second syllables"]]
    random.Random(f"names/{seed}").shuffle(roots)
    return tuple(roots)


def entity_root(seed: int, index: int) -> str:
    """The root of the index-th entity's name; all roots of a seed differ, up to 11,520 of them."""
    roots = _order(seed)
    cycle, place = divmod(index, len(roots))
    return roots[place] + THIRD[cycle % len(THIRD)]


def value_root(rng: random.Random) -> str:
    """A root that no entity bears."""
    return rng.choice(WORDS["roots of values"]) + rng.choice(WORDS["second syllables"])


def first_name(rng: random.Random) -> str:
    """A first name."""
    return rng.choice(_FIRST_NAMES)


_COMPOSED: Mapping[str, Callable[[random.Random], str]] = {
    "person": lambda rng: f"{first_name(rng)} {value_root(rng)}",
    "place": lambda rng: value_root(rng) + rng.choice(WORDS["ends of places"]),
    "org": lambda rng: f"{value_root(rng)} {rng.choice(WORDS['ends of organisations'])}",
    "firm": lambda rng: f"{value_root(rng)} {rng.choice(WORDS['ends of firms'])}",
    "language": lambda rng: value_root(rng) + "ese",
}


def draw(type_: str, rng: random.Random) -> str:
    """A value of a type.

    Types: person, place, org, firm, language; `year`, `number` or `percent` with a range "LOW-HIGH" and perhaps a
    unit; else the name of a word list.
    """
    base, *details = type_.split()
    if base in _COMPOSED:
        return _COMPOSED[base](rng)
    if not details:
        return rng.choice(WORDS[base])
    low, high = map(int, details[0].split("-"))
    unit = ["percent"] if base == "percent" else details[1:]
    return " ".join([str(rng.randint(low, high)), *unit])


def accepted(value: str) -> tuple[str, ...]:
    """The answers that count for a value: itself, and a measure without its unit."""
    number, _, unit = value.partition(" ")
    return (value, number) if unit and number.isdigit() else (value,)


def clashes(value: str, others: Iterable[str]) -> bool:
    """Whether a value, or its bare number, is part of another one, or the other way round."""
    forms = [form.casefold() for form in accepted(value)]
    known = [form.casefold() for other in others for form in accepted(other)]
    return any(a in b or b in a for a in forms for b in known)
