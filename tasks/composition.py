"""Write facts apart, then ask questions that need two of them, that need each alone, and that nothing links."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from membench.api import Answer, Ask, Composed, Dataset, Episode, Metric, Task, Write
from membench.corpora.chains import by_hop
from membench.metrics.composition import summarise_composition


@dataclass(frozen=True)
class Composition(Task):
    """One episode: write every chain's first text, then every second one, and ask all questions of all chains.

    Floor and reference answer each chain's questions with nothing and with that chain's texts alone.
    """

    apart: Literal["texts", "writes"] = "texts"  # texts: all in one write; writes: each in a write of its own
    default_limit: ClassVar[int] = 10
    loads = "chains"

    def episodes(self, data: Dataset, seed: int) -> Iterator[Episode]:
        """The one episode, in the data's order whatever the seed."""
        parts = by_hop(context for context in data.contexts if isinstance(context, Composed))
        writes = (Write(parts),) if self.apart == "texts" else tuple(Write((part,)) for part in parts)
        ask = Ask(tuple(q for context in data.contexts for q in context.questions))
        yield Episode("composition", (*writes, ask))

    def summarise(self, answers: Sequence[Answer]) -> dict[str, Metric]:
        """What is composed, what each hop alone gives, and the controls (`membench.metrics.composition`)."""
        return summarise_composition(answers)
