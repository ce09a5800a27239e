"""Write dated sessions one after another, then ask on a later day about one, about several, and about what changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from membench.api import Answer, Ask, Dataset, Episode, Metric, Task, Write
from membench.corpora.chains import merged
from membench.corpora.sessions import conversations
from membench.talks.measures import summarise_conversation


@dataclass(frozen=True)
class Conversation(Task):
    """An episode a conversation: each session a write of its own, in the order of their dates, then all questions.

    A question carries the day on which it is asked. Floor and reference answer with nothing and with the sessions that
    hold the evidence alone.
    """

    default_limit: ClassVar[int] = 10
    loads = "conversations"

    def episodes(self, data: Dataset, seed: int) -> Iterator[Episode]:
        """The episodes, in the data's order whatever the seed."""
        for name, contexts in conversations(data.contexts).items():
            sessions = merged(part for context in contexts for part in context.parts)
            ask = Ask(tuple(q for context in contexts for q in context.questions))
            yield Episode(name, (*(Write((session,)) for session in sessions), ask))

    def summarise(self, answers: Sequence[Answer]) -> dict[str, Metric]:
        """What is answered by kind, what is outdated, and who abstains rightly (`membench.talks.measures`)."""
        return summarise_conversation(answers)
