"""Write contexts, forget some, ask about all: what is left of the forgotten ones, and what happens to the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from membench.api import (
    Answer,
    Ask,
    AtLeast0,
    AtLeast1,
    Context,
    Dataset,
    Episode,
    Forget,
    Metric,
    Question,
    Task,
    Write,
    added,
)
from membench.metrics.deletion import FORGOT, NEVER, PARAPHRASE, summarise_deletion
from membench.views import alternate


@dataclass(frozen=True)
class Deletion(Task):
    """Two memories are asked the same: one that held the contexts and forgot them, one that never held them.

    Contexts are written one after another, or all at once. Then the first of every so many is forgotten, all of these
    in one step. Where a method really takes a text out, the two answer alike, letter for letter (column `exact`).
    """

    every: AtLeast1 = 4  # of so many contexts one is forgotten
    questions: AtLeast0 = 4  # of each context in each Ask; 0 means all
    writes: Literal["each", "one"] = added("each")  # one: all contexts at once, so that no later write overrules one
    default_limit: ClassVar[int] = 8
    probed: ClassVar[bool] = True  # paraphrases stand among the probes

    def episodes(self, data: Dataset, seed: int) -> Iterator[Episode]:
        """The memory that forgets, asked before and after; then the one that never held what the first forgot."""
        gone = data.contexts[:: self.every]
        rest = tuple(c for c in data.contexts if c not in gone)
        ask = Ask(tuple(q for context in data.contexts for q in self._asked(context)))
        yield Episode(FORGOT, (*self._written(data.contexts), ask, Forget(gone), ask))
        yield Episode(NEVER, (*self._written(rest), ask))

    def _written(self, contexts: tuple[Context, ...]) -> tuple[Write, ...]:
        at_once = self.writes == "one" and contexts
        return (Write(contexts),) if at_once else tuple(Write((c,)) for c in contexts)

    def _asked(self, context: Context) -> tuple[Question, ...]:
        paraphrased = tuple(q for q in context.probes if q.tags.get("kind") == PARAPHRASE)
        return (*alternate(context.questions, self.questions), *paraphrased[: self.questions or None])

    def summarise(self, answers: Sequence[Answer]) -> dict[str, Metric]:
        """What is known before, what is left, and what it costs the rest (`membench.metrics.deletion`)."""
        return summarise_deletion(answers)
