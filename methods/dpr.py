"""Dense passage retrieval: the texts with the nearest embeddings stand in the prompt (Karpukhin et al., 2020)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from membench.api import MemoryKind
from membench.retrieval import encoders
from membench.retrieval.dense import Dense, nearest
from membench.retrieval.encoders import Vectors


@dataclass(frozen=True, eq=False)
class Embedded:
    """The contexts as written, and the vectors [passages, width] of their passages."""

    contexts: tuple[str, ...]
    vectors: Vectors


@dataclass(frozen=True)
class DPR(Dense[Embedded]):
    """An encoder for questions and one for passages, exact search by inner product (faiss)."""

    storage: ClassVar[str] = "O(n) text, vectors"
    kind: ClassVar[MemoryKind] = "growing"
    licence: ClassVar[str] = "all-minilm-l6-v2: Apache-2.0; the published DPR encoders: CC-BY-NC-4.0"

    @property
    def label(self) -> str | None:
        """No row may pass for DPR's own encoders that has others."""
        return f"dpr ({encoders.label(self.encoder)})"

    def write(self, memory: Embedded | None, contexts: Sequence[str]) -> Embedded | None:
        """Append the texts and the vectors of their passages."""
        if not contexts:
            return memory
        fresh = self.encoded(self.passages(contexts))
        if memory is None:
            return Embedded(tuple(contexts), fresh)
        return Embedded((*memory.contexts, *contexts), np.concatenate([memory.vectors, fresh]))

    def texts(self, memory: Embedded) -> Sequence[str]:
        """The contexts' passages."""
        return self.passages(memory.contexts)

    def search(self, memory: Embedded, questions: Sequence[str]) -> list[Sequence[int]]:
        """By inner product with the question; ties go to the passage written first."""
        return list(nearest(memory.vectors, self.encoded(questions, question=True), self.k))

    def forget(self, memory: Embedded, contexts: Sequence[str]) -> Embedded | None:
        """Drop the contexts with their vectors: what is left is what would be there had they never been written."""
        gone = set(contexts)
        kept = tuple(text for text in memory.contexts if text not in gone)
        rows = [text not in gone for text in memory.contexts for _ in self.passages([text])]
        return Embedded(kept, memory.vectors[rows]) if kept else None
