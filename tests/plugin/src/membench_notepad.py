"""A method and a task as somebody outside the project would write them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from membench.api import Answer, Ask, Dataset, Episode, Method, Metric, Recall, Task, Write


@dataclass(frozen=True)
class Notepad(Method[tuple[str, ...]]):
    """Keeps the last few texts and reads them all before every question."""

    pages: int = 2

    def write(self, memory: tuple[str, ...] | None, contexts: Sequence[str]) -> tuple[str, ...]:
        """Turn the page."""
        return (*(memory or ()), *contexts)[-self.pages :]

    def recall(self, memory: tuple[str, ...] | None, questions: Sequence[str]) -> Recall:
        """The same pages for every question."""
        return Recall(contexts=tuple(memory or () for _ in questions))


@dataclass(frozen=True)
class Twice(Task):
    """Writes each context twice and asks after each time."""

    default_limit = 2

    def episodes(self, data: Dataset, seed: int) -> Iterator[Episode]:
        """One a context."""
        for context in data.contexts:
            step = (Write((context,)), Ask(context.questions))
            yield Episode(context.id, step + step)

    def summarise(self, answers: Sequence[Answer]) -> dict[str, Metric]:
        """Mean `contains` over the questions of each context, and over contexts."""
        scores: dict[str, list[float]] = {}
        for answer in answers:
            scores.setdefault(answer.context, []).append(answer.scores["contains"])
        means = {context: sum(values) / len(values) for context, values in scores.items()}
        return {"contains/all": Metric(sum(means.values()) / len(means), means)}
