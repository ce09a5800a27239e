"""What readers of dated conversations share: their file, their distractors, and the order of what is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from membench.corpora.sessions import ABSTENTION, in_turn
from membench.data._distractors import fill_distractors
from membench.errors import MembenchError
from membench.values import Context, Dataset


def dataset(
    name: str, contexts: Iterable[Context], limit: int, held_out: int, whole: Callable[[Context], Context] | None = None
) -> Dataset:
    """The first contexts, of each kind in turn, with distractors. Raises MembenchError where there is none.

    `whole` makes contexts of those that are taken, where they are large and others need not be made.
    """
    found = in_turn(list(contexts))
    if not found:
        raise MembenchError(f"{name}: no question that can be matched with an answer")
    filled = _filled(found)[: limit + held_out]
    filled = [whole(context) for context in filled] if whole else filled
    return Dataset(name, tuple(filled[:limit]), tuple(filled[limit:]))


def _filled(contexts: Sequence[Context]) -> list[Context]:
    """Distractors are answers of other questions; those that nothing answers give none and get none."""
    told = [
        replace(c, questions=those)
        for c in contexts
        if (those := tuple(q for q in c.questions if q.tags["kind"] != ABSTENTION))
    ]
    by_id = {q.id: q for c in fill_distractors(told, len(told)) for q in c.questions}
    return [replace(c, questions=tuple(by_id.get(q.id, q) for q in c.questions)) for c in contexts]
