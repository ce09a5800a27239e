"""What the scores of another harness amount to: their means over contexts, as that harness scored the items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from membench.api import Answer, Dataset, Episode, Metric, MetricSpec, Task
from membench.errors import MembenchError
from membench.views import summarise_view

IMPORTED = "imported"  # the name of the task


@dataclass(frozen=True)
class Imported(Task):
    """Summed up and never played: `scores` in their harness' order, `numbers` those of them that are no shares,
    `downwards` those of which less is better.
    """

    scores: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    downwards: tuple[str, ...] = ()

    def over(self, data: Dataset) -> Task:
        """Always raises MembenchError: nothing can be played, nor scored anew."""
        raise MembenchError("imported results can be read and not played: play a task of membench (membench ls tasks)")

    def episodes(self, data: Dataset, seed: int) -> Iterator[Episode]:
        """None."""
        return iter(())

    def summarise(self, answers: Sequence[Answer]) -> dict[str, Metric]:
        """Each score's mean over contexts."""
        return summarise_view(answers, "all", self.scores)


def declared_scores(settings: Mapping[str, Any], harness: str) -> tuple[MetricSpec, ...]:
    """The columns of imported scores, from the task settings of a recipe; the first one leads their tables."""
    return tuple(
        MetricSpec(
            name,
            name,
            f"{name} as {harness} scored it",
            unit="as scored" if name in settings["numbers"] else "share",
            higher_is_better=name not in settings["downwards"],
            leads=name == settings["scores"][0],
        )
        for name in settings["scores"]
    )
