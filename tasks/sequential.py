"""Write contexts one after another and ask about all of them after each write: what is kept, and for how long."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from membench.api import Answer, Ask, AtLeast0, AtLeast1, Dataset, Drift, Episode, Metric, Step, Task, Write, added
from membench.metrics.retention import summarise_retention
from membench.views import SCORES, SPLIT_SCORES, alternate, summarise_placebo, summarise_split, summarise_view

FINAL_SCORES = ("f1", "contains", "margin", "acc_mc")


@dataclass(frozen=True)
class Sequential(Task):
    """For t = 1..T: write context t, ask the same questions of every context, written or not yet.

    The views `all`, `rehearsed` and `unrehearsed` are of each context just after its own write; `final`,
    `final-rehearsed` and `final-unrehearsed` of all after the last one.
    """

    questions: AtLeast0 = 4  # of each context in each Ask; 0 means all
    drift: AtLeast0 = added(0)  # measure drift after every so many writes and after the last one; 0 means never
    drift_text: str = added(Drift.text)  # generic text to measure it on
    drift_suites: tuple[str, ...] = added(Drift.suites)  # test sets to measure it on
    drift_items: AtLeast1 = added(Drift.items)  # of each test set, at most
    default_limit: ClassVar[int] = 8

    def episodes(self, data: Dataset, seed: int) -> Iterator[Episode]:
        """The one episode; seed 0 writes in the data's order, any other in an order of its own."""
        order = list(data.contexts)
        if seed:
            random.Random(f"order {seed}").shuffle(order)
        ask = Ask(tuple(q for context in data.contexts for q in alternate(context.questions, self.questions)))
        drift = Drift(self.drift_text, self.drift_suites, self.drift_items)
        steps: list[Step] = []
        for count, context in enumerate(order, 1):
            steps += [Write((context,)), ask]
            if self.drift and (count % self.drift == 0 or count == len(order)):
                steps.append(drift)
        yield Episode("sequence", tuple(steps))

    def summarise(self, answers: Sequence[Answer]) -> dict[str, Metric]:
        """Efficacy, placebo, what is left after the last write, and retention (`membench.metrics.retention`)."""
        own = [a for a in answers if a.seen and a.position == a.written]
        last = max((a.written for a in answers), default=0)
        final = [a for a in answers if a.seen and a.written == last]
        return (
            summarise_view(own, "all", SCORES)
            | summarise_split(own, SPLIT_SCORES)
            | summarise_placebo(answers)
            | summarise_view(final, "final", FINAL_SCORES)
            | summarise_split(final, FINAL_SCORES, "final-")
            | summarise_retention(answers, "contains")
        )
