"""Episodes that begin with a write into an empty memory: several of these writes made in one pass.

Which are made together is a matter of their places in the cell, so that a run that was stopped makes the same groups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from membench.api import Method
from membench.batched.first_writes import at_once, write_each
from membench.model.text_model import TextModel
from membench.playing.plugin_call import as_it_was
from membench.trained.method import Trained
from membench.values import Episode, Write

Spent = tuple[float, Mapping[str, Mapping[str, int]]]  # seconds, tokens by role and kind


@dataclass
class FirstWrites:
    """Makes them a group at a time; each is charged its share of what its group took."""

    method: Method[Any]
    llm: TextModel
    episodes: Sequence[Episode]
    _made: dict[str, tuple[Any, Spent]] = field(default_factory=dict)

    def take(self, episode: Episode, k: int) -> tuple[Any, Spent] | None:
        """The memory behind step `k` and what it took; None if that write is made by itself."""
        size = at_once(self.method)
        if k or size < 2 or not _is_first(episode):
            return None
        if episode.name not in self._made:
            firsts = [e for e in self.episodes if _is_first(e)]
            place = [e.name for e in firsts].index(episode.name) // size * size
            group = firsts[place : place + size]
            if len(group) < 2:
                return None
            self._make(group)
        return self._made.pop(episode.name)

    def _make(self, group: Sequence[Episode]) -> None:
        self.llm.meter.lap()
        with as_it_was():
            written = write_each(cast("Trained", self.method), [_text(episode) for episode in group])
        seconds, tokens = self.llm.meter.lap()
        self._made.clear()
        for k, (episode, memory) in enumerate(zip(group, written, strict=True)):
            share = {
                role: {kind: n // len(group) + (k < n % len(group)) for kind, n in kinds.items()}
                for role, kinds in tokens.items()
            }
            self._made[episode.name] = memory, (seconds / len(group), share)


def _is_first(episode: Episode) -> bool:
    step = episode.steps[0] if episode.steps else None
    return isinstance(step, Write) and len(step.contexts) == 1


def _text(episode: Episode) -> str:
    step = episode.steps[0]
    assert isinstance(step, Write)
    return step.contexts[0].text
