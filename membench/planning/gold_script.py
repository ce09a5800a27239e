"""The gold script: every question is asked with its own context alone written.

Played by `base` it is the floor, played by `in-context` the reference. Both are computed once for some data and model
and shared by all tasks. What the reference answered is kept with its hidden states, so that every method's divergence
from it can be measured without the reference being read again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from membench.api import Task
from membench.values import Answer, Ask, Dataset, Episode, Metric, Write
from membench.views import summarise_seen


@dataclass(frozen=True)
class Gold(Task):
    """For each context an episode: write it, ask its questions."""

    def episodes(self, data: Dataset, seed: int) -> Iterator[Episode]:
        """One an context, in the data's order."""
        for context in data.contexts:
            yield Episode(context.id, (Write((context,)), Ask(context.questions)))

    def summarise(self, answers: Sequence[Answer]) -> dict[str, Metric]:
        """The views of what was seen: all, rehearsed, unrehearsed."""
        return summarise_seen(answers)
