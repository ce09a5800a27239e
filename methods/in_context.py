"""The in-context reference: the right context in the prompt. It can be exceeded, so it is no upper bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from membench.api import MemoryKind, Method, Recall


@dataclass(frozen=True)
class InContext(Method[tuple[str, ...]]):
    """All that was written stands in the prompt; played on the gold script, where only the right context is written."""

    storage: ClassVar[str] = "O(n) text"
    kind: ClassVar[MemoryKind] = "text"

    def write(self, memory: tuple[str, ...] | None, contexts: Sequence[str]) -> tuple[str, ...]:
        """Append the texts."""
        return (*(memory or ()), *contexts)

    def recall(self, memory: tuple[str, ...] | None, questions: Sequence[str]) -> Recall:
        """All texts before every question."""
        return Recall(contexts=(memory or (),) * len(questions))

    def forget(self, memory: tuple[str, ...], contexts: Sequence[str]) -> tuple[str, ...] | None:
        """Drop the texts: what is left is what would be there had they never been written."""
        gone = set(contexts)
        return tuple(text for text in memory if text not in gone) or None
