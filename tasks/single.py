"""Write one context into an empty memory, ask about it and, as placebo, about another one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from membench.api import Answer, Ask, Dataset, Episode, Metric, Task, Write
from membench.views import summarise_placebo, summarise_seen


@dataclass(frozen=True)
class Single(Task):
    """For each context an episode: write it, ask its questions and those of the next context (the last: of the first).

    So each question is asked twice, once with its context in the memory and once with another one there.
    """

    default_limit: ClassVar[int] = 10

    def episodes(self, data: Dataset, seed: int) -> Iterator[Episode]:
        """One a context, in the data's order whatever the seed."""
        others = data.contexts[1:] + data.contexts[:1] if len(data.contexts) > 1 else data.held_out[:1]
        for k, context in enumerate(data.contexts):
            placebo = others[k].questions if others else ()
            yield Episode(context.id, (Write((context,)), Ask(context.questions + placebo)))

    def summarise(self, answers: Sequence[Answer]) -> dict[str, Metric]:
        """Scores just after writing, all and by rehearsal, and the placebo's."""
        return summarise_seen(answers) | summarise_placebo(answers)
