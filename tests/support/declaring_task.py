"""A task of a plug-in that declares a metric of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from membench.api import Answer, Ask, Dataset, Episode, Metric, MetricSpec, Task, Write


@dataclass(frozen=True)
class Patience(Task):
    """How long an answer hesitates."""

    metrics = (
        MetricSpec("sighs", "sighs", "sighs an answer", unit="sighs", higher_is_better=False, digits=1),
        MetricSpec(
            "sighs/late", "late sighs", "the same, the last answer of a context", unit="sighs", interval=False, brief=1
        ),
    )

    def episodes(self, data: Dataset, seed: int) -> Iterator[Episode]:
        """One a context."""
        for context in data.contexts:
            yield Episode(context.id, (Write((context,)), Ask(context.questions)))

    def summarise(self, answers: Sequence[Answer]) -> dict[str, Metric]:
        """Words stand for sighs."""
        values = {answer.context: float(len(answer.answer.split())) for answer in answers}
        return {"sighs/all": Metric(sum(values.values()) / len(values), values)}
