"""A recall in parts that wear one adapter each: every adapter is merged once, whatever the order of the questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from membench.errors import MembenchError
from membench.values import Adapter, Recall


def by_adapter(recall: Recall, count: int) -> list[tuple[Sequence[int], Recall]]:
    """For each adapter (one object) the places of its questions, ascending, and what is recalled for these.

    `count` is how many questions there are. Raises MembenchError for a recall that brings an adapter for all and one a
    question, or for another number of questions.
    """
    if recall.adapters is None:
        return [(range(count), recall)]
    if recall.adapter is not None:
        raise MembenchError("a recall brings one adapter for all questions, or `adapters`, one a question; not both")
    if len(recall.adapters) != count:
        raise MembenchError(f"a recall brings {len(recall.adapters)} adapters for {count} questions")
    groups: dict[int, tuple[Adapter | None, list[int]]] = {}
    for place, adapter in enumerate(recall.adapters):
        groups.setdefault(id(adapter), (adapter, []))[1].append(place)
    return [
        (places, replace(selected(recall, places), adapter=adapter, adapters=None))
        for adapter, places in groups.values()
    ]


def selected(recall: Recall, places: Sequence[int]) -> Recall:
    """What is recalled for the questions at these places, by what is worn for all."""
    return replace(recall, contexts=tuple(recall.contexts[i] for i in places)) if recall.contexts else recall
