"""Dense passage retrieval: the texts with the nearest embeddings stand in the prompt (Karpukhin et al., 2020)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from membench.api import MemoryKind
from membench.retrieval import encoders
from membench.retrieval.dense import Embedded, Embedding, nearest


@dataclass(frozen=True)
class DPR(Embedding):
    """An encoder for questions and one for passages, exact search by inner product (faiss)."""

    storage: ClassVar[str] = "O(n) text, vectors"
    kind: ClassVar[MemoryKind] = "growing"
    licence: ClassVar[str] = "all-minilm-l6-v2: Apache-2.0; the published DPR encoders: CC-BY-NC-4.0"

    @property
    def label(self) -> str | None:
        """No row may pass for DPR's own encoders that has others."""
        return f"dpr ({encoders.label(self.encoder)})"

    def search(self, memory: Embedded, questions: Sequence[str]) -> list[Sequence[int]]:
        """By inner product with the question; ties go to the passage written first."""
        return list(nearest(memory.vectors, self.encoded(questions, question=True), self.k))
