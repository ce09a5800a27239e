"""The kinds of entity that `worlds` invents, with their attributes and wordings, read from worlds.txt.

That file has one block a kind; lists are parted by ` | `, and `[a|b]` stands for a choice of words:

    values                                  syllables of names and lists of words, one a line: `colour: red, blue`
    kind KEY                                a kind
    name: ...  open: ...                    patterns of names, and first sentences that state no fact
    * ATTRIBUTE TYPE                        an attribute; see membench.corpora.world_names.draw for the types
    . statements                            how a passage states it: {e} is the entity, {v} the value
    + questions                             phrasings of target sentences
    ? questions                             phrasings of test questions, none of them among the former
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from importlib.resources import files

_CHOICE = re.compile(r"\[([^]]*)\]")


@dataclass(frozen=True)
class Attribute:
    """An attribute of a kind: its type of value, and three disjoint families of wordings."""

    key: str
    type: str  # e.g. "colour", "year 1860-1990" or "number 21-98 metres"
    statements: tuple[str, ...]
    targets: tuple[str, ...]
    tests: tuple[str, ...]

    @property
    def base(self) -> str:
        """The type without its range and unit."""
        return self.type.split()[0]


@dataclass(frozen=True)
class Kind:
    """A kind of entity: patterns of names, sentences that state no fact, and attributes."""

    key: str
    names: tuple[str, ...]
    openings: tuple[str, ...]
    attributes: tuple[Attribute, ...]


def variants(pattern: str) -> list[str]:
    """Every text that a pattern stands for: `a [b|c]` for `a b` and `a c`."""
    parts = _CHOICE.split(pattern)
    choices = [part.split("|") if i % 2 else [part] for i, part in enumerate(parts)]
    return [" ".join("".join(chosen).split()) for chosen in itertools.product(*choices)]


def _kind(lines: list[str]) -> Kind:
    head, names, openings, *rest = lines
    attributes = tuple(_attribute(rest[i : i + 4]) for i in range(0, len(rest), 4))
    return Kind(head.removeprefix("kind "), _patterns(_split(names)[1]), _patterns(_split(openings)[1]), attributes)


def _attribute(lines: list[str]) -> Attribute:
    head, *families = lines
    if [line[0] for line in lines] != ["*", ".", "+", "?"]:
        raise ValueError(f"worlds.txt: {head!r} is not followed by its three families")
    key, _, type_ = head[2:].partition(" ")
    statements, targets, tests = (_patterns(line[2:]) for line in families)
    return Attribute(key, type_, statements, targets, tests)


def _split(line: str) -> tuple[str, str]:
    key, _, value = line.partition(": ")
    return key, value


def _patterns(text: str) -> tuple[str, ...]:
    return tuple(itertools.chain.from_iterable(map(variants, text.split(" | "))))


def _read() -> tuple[tuple[Kind, ...], dict[str, tuple[str, ...]]]:
    text = files("membench.corpora").joinpath("worlds.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    starts = [i for i, line in enumerate(lines) if line.startswith("kind ")]
    ends = [*starts[1:], len(lines)]
    words = {key: tuple(value.split(", ")) for key, value in map(_split, lines[1 : starts[0]])}
    return tuple(_kind(lines[start:end]) for start, end in zip(starts, ends, strict=True)), words


KINDS, WORDS = _read()
