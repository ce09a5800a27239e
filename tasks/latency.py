"""Write all contexts, then ask questions one at a time: how long each of them waits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge

from membench.api import Answer, Ask, Dataset, Episode, Metric, Task, Write
from membench.views import summarise_seen


@dataclass(frozen=True)
class Latency(Task):
    """One episode: a joint write, then a step for each question, so that each has seconds of its own.

    `questions` is how many are asked, in turn over the contexts; 0 asks all.
    """

    default_limit: ClassVar[int] = 20

    questions: Annotated[int, Ge(0)] = 40

    def episodes(self, data: Dataset, seed: int) -> Iterator[Episode]:
        """The one episode, in the data's order whatever the seed."""
        most = max((len(context.questions) for context in data.contexts), default=0)
        turns = [q for k in range(most) for context in data.contexts for q in context.questions[k : k + 1]]
        asked = turns[: self.questions or None]
        yield Episode("latency", (Write(data.contexts), *(Ask((question,)) for question in asked)))

    def summarise(self, answers: Sequence[Answer]) -> dict[str, Metric]:
        """Scores after the joint write."""
        return summarise_seen(answers)
