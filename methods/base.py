"""The floor: the model alone, nothing remembered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from membench.api import MemoryKind, Method, Recall


@dataclass(frozen=True)
class Base(Method[None]):
    """Writes nothing and answers closed-book."""

    storage: ClassVar[str] = "none"
    kind: ClassVar[MemoryKind] = "nothing"

    def write(self, memory: None, contexts: Sequence[str]) -> None:
        """Keep nothing."""

    def recall(self, memory: None, questions: Sequence[str]) -> Recall:
        """Nothing."""
        return Recall()

    def forget(self, memory: None, contexts: Sequence[str]) -> None:
        """There is nothing to forget."""
