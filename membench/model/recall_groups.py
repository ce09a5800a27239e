"""A recall in parts that bring one adapter and one prefix each: an adapter is merged once, in whatever order asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from membench.errors import MembenchError
from membench.values import Recall

_ONE_OR_EACH = (("adapter", "adapters"), ("prefix", "prefixes"))  # for all questions, or one a question


def in_parts(recall: Recall, count: int) -> list[tuple[Sequence[int], Recall]]:
    """For each pair of adapter and prefix (one object each) the places of its questions, ascending, and what is
    recalled for these; those with the same adapter follow one another.

    `count` is how many questions there are. Raises MembenchError for a recall that brings one for all and one a
    question, or for another number of questions.
    """
    if recall.adapters is None and recall.prefixes is None:
        return [(range(count), recall)]
    worn, planted = (_each(recall, one, each, count) for one, each in _ONE_OR_EACH)
    groups: dict[int, dict[int, list[int]]] = {}
    for place in range(count):
        groups.setdefault(id(worn[place]), {}).setdefault(id(planted[place]), []).append(place)
    out: list[tuple[Sequence[int], Recall]] = []
    for places in (places for below in groups.values() for places in below.values()):
        brought = {"adapter": worn[places[0]], "prefix": planted[places[0]], "adapters": None, "prefixes": None}
        out.append((places, replace(selected(recall, places), **brought)))
    return out


def _each(recall: Recall, one: str, each: str, count: int) -> Sequence[Any]:
    brought = getattr(recall, each)
    if brought is None:
        return (getattr(recall, one),) * count
    if getattr(recall, one) is not None:
        raise MembenchError(f"a recall brings one {one} for all questions, or `{each}`, one a question; not both")
    if len(brought) != count:
        raise MembenchError(f"a recall brings {len(brought)} {each} for {count} questions")
    return brought  # type: ignore[no-any-return]


def selected(recall: Recall, places: Sequence[int]) -> Recall:
    """What is recalled for the questions at these places, by what is worn for all."""
    return replace(recall, contexts=tuple(recall.contexts[i] for i in places)) if recall.contexts else recall
