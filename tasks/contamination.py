"""Ask around a fact before and after it is written, and what two contradicting texts leave behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from membench.api import Answer, Ask, AtLeast0, AtLeast1, Dataset, Drift, Episode, Metric, Step, Task, Write, added
from membench.corpora.probes import conflict_questions, conflicts, script
from membench.metrics.conflicts import FORWARD, SWAPPED, summarise_conflicts
from membench.metrics.contamination import summarise_probes


@dataclass(frozen=True)
class Contamination(Task):
    """For each context: ask about it and around it, write it, ask the same again, measure drift.

    Then for each conflict: ask, write the old text and the new one, ask; and with the two written the other way round.
    Floor and reference play this script themselves: their answers before and after are what counts.
    """

    questions: AtLeast0 = 4  # test questions of each context, those that probes belong to first; 0 means all
    drift: AtLeast0 = 1  # measure drift after every so many contexts and after the last one; 0 means never
    drift_text: str = Drift.text  # generic text to measure it on
    drift_suites: tuple[str, ...] = Drift.suites  # test sets to measure it on
    drift_items: AtLeast1 = added(Drift.items)  # of each test set, at most
    default_limit: ClassVar[int] = 8
    probed: ClassVar[bool] = True
    gold_script: ClassVar[bool] = False

    def episodes(self, data: Dataset, seed: int) -> Iterator[Episode]:
        """One a context and two a conflict, in the data's order whatever the seed."""
        drift = Drift(self.drift_text, self.drift_suites, self.drift_items)
        for number, context in enumerate(data.contexts):
            ask = Ask(script(context, number, self.questions))
            due = self.drift and ((number + 1) % self.drift == 0 or number + 1 == len(data.contexts))
            steps: tuple[Step, ...] = (ask, Write((context,)), ask)
            yield Episode(context.id, (*steps, drift) if due else steps)
        for old in conflicts(data):
            assert old.revision is not None
            ask = Ask(conflict_questions(old))
            yield Episode(f"{old.id}{FORWARD}", (ask, Write((old,)), Write((old.revision,)), ask))
            yield Episode(f"{old.id}{SWAPPED}", (Write((old.revision,)), Write((old,)), ask))

    def summarise(self, answers: Sequence[Answer]) -> dict[str, Metric]:
        """Efficacy, leaks, specificity, damage, abstention and conflicts (membench.metrics)."""
        return summarise_probes(answers) | summarise_conflicts(answers)
