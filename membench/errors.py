"""The one exception that is meant for the user: a line that says what is wrong and what to type instead."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class MembenchError(Exception):
    """Wrong input or an environment that lacks something; shown as one line, exit status 2."""


@contextmanager
def standing_at(place: str) -> Iterator[None]:
    """What is wrong within is said with its place in a file ("run.yaml:3") in front; as it is where there is none."""
    try:
        yield
    except MembenchError as error:
        if not place:
            raise
        raise MembenchError(f"{place}: {error}") from error


def shortened(text: str, most: int = 80) -> str:
    """A text as messages repeat it: of a long one the beginning."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"


def unknown(kind: str, name: str, known: Iterable[str]) -> MembenchError:
    """The error for a name that nothing answers to, with the nearest one that something does."""
    names, name = sorted(known), shortened(name)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names) or 'none'}"
    return MembenchError(f"unknown {kind} {name!r}: {hint}")
