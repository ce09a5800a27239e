"""Write all contexts jointly, then ask about each and, as placebo, about contexts that are never written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from membench.api import Answer, Ask, Dataset, Episode, Metric, Task, Write
from membench.views import summarise_placebo, summarise_seen


@dataclass(frozen=True)
class Batch(Task):
    """One episode: write all contexts at once, ask all questions, those of held-out contexts too."""

    default_limit: ClassVar[int] = 10
    held_out: ClassVar[int] = 5

    def episodes(self, data: Dataset, seed: int) -> Iterator[Episode]:
        """The one episode, in the data's order whatever the seed."""
        questions = tuple(q for context in (*data.contexts, *data.held_out) for q in context.questions)
        yield Episode("batch", (Write(data.contexts), Ask(questions)))

    def summarise(self, answers: Sequence[Answer]) -> dict[str, Metric]:
        """Scores after the joint write, all and by rehearsal, and the placebo's."""
        return summarise_seen(answers) | summarise_placebo(answers)
