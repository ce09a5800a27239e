"""What all data must be, whatever their source: each text and each question's id once, no right distractor.

And what they must have for methods that train on sentences which somebody else wrote about them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from membench.api import Method, settings_of
from membench.errors import MembenchError
from membench.targets.scribe import NoPairs, at_hand, is_writer, pairs_about
from membench.text.fold import unify
from membench.text.mentions import same
from membench.values import Composed, Context, Dataset, Pair, Part, Question


def checked(data: Dataset) -> Dataset:
    """The data without distractors that the scorer takes for an accepted answer.

    Raises MembenchError for two contexts with one text, which would share a memory and not their questions, and for two
    questions with one id, whose answers would be taken for one another.
    """
    _refuse_repeated_texts(data)
    _refuse_repeated_ids(data)
    contexts, held_out, conflicts = (
        tuple(map(_without_right_distractors, those)) for those in (data.contexts, data.held_out, data.conflicts)
    )
    return replace(data, contexts=contexts, held_out=held_out, conflicts=conflicts)


def book_of(data: Dataset, written: Sequence[Context]) -> dict[str, tuple[Pair, ...]]:
    """The data's own pairs by passage; that there are none of texts that are written apart, as of small talk."""
    texts = (*data.contexts, *data.held_out, *written)
    return {c.text: c.targets for c in texts if c.targets or isinstance(c, Part)}


def writers_of(method: Method[Any]) -> list[tuple[str, int]]:
    """Who writes the pairs that a method, or parts of it, train on, and how many; none where nothing is trained."""
    every = [(found.get("targets"), found.get("pairs"), found) for found in map(settings_of, method.parts)]
    return [(w, n) for w, n, found in every if is_writer(w) and isinstance(n, int) and found.get("epochs") != 0]


def refuse_without_targets(name: str, method: Method[Any], data: Dataset, written: Sequence[Context]) -> None:
    """Raise MembenchError where a method trains on pairs at hand, and there are none about a text that is written."""
    book = book_of(data, written)
    for writer, _ in writers_of(method):
        known = at_hand(writer, book)
        try:
            for context in written if known is not None else ():
                pairs_about(writer, context.text, known or {})
        except NoPairs as none:
            raise MembenchError(f"{name} on {data.name}: {none}") from None


def said_of_size(data: Dataset, limit: int | None) -> str:
    """A line where fewer contexts are written than one would think: than were asked for, or than one's own documents
    hold, if nobody said how many; else "".
    """
    count = len(data.contexts)
    if limit and count < limit:
        return f"{data.name} has {count} of the {limit} contexts asked for, and no others for a placebo"
    if not limit and data.stored and count < data.stored:
        return (
            f"{data.name}: the first {count} of its {data.stored} texts are written; --limit {data.stored} writes all"
        )
    return ""


def _refuse_repeated_texts(data: Dataset) -> None:
    first: dict[str, str] = {}
    for context in (*data.contexts, *data.held_out):
        if isinstance(context, Composed):  # of which parts are written, those of one text once
            continue
        other = first.setdefault(" ".join(unify(context.text).split()), context.id)
        if other != context.id:
            raise MembenchError(
                f"data {data.name}: the contexts {other!r} and {context.id!r} have the same text: "
                "give each text once, with all its questions"
            )


def _refuse_repeated_ids(data: Dataset) -> None:
    first: dict[str, str] = {}
    for question, context in _questions(data):
        if question.id in first:
            raise MembenchError(
                f"data {data.name}: the question id {question.id!r} is given twice, in the contexts "
                f"{first[question.id]!r} and {context.id!r}: give each question an id of its own"
            )
        first[question.id] = context.id


def _questions(data: Dataset) -> Iterator[tuple[Question, Context]]:
    for context in (*data.contexts, *data.held_out, *data.conflicts):
        for part in (context, context.revision):
            if part:
                yield from ((question, context) for question in (*part.questions, *part.probes))


def _without_right_distractors(context: Context) -> Context:
    questions, probes = (tuple(map(_cleaned, those)) for those in (context.questions, context.probes))
    revision = _without_right_distractors(context.revision) if context.revision else None
    return replace(context, questions=questions, probes=probes, revision=revision)


def _cleaned(question: Question) -> Question:
    wrong = tuple(d for d in question.distractors if not any(same(d, gold) for gold in question.answers))
    return question if wrong == question.distractors else replace(question, distractors=wrong)
