"""Hybrid retrieval: BM25 and dense vectors, joined by reciprocal rank fusion (Cormack et al., SIGIR 2009)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Le

from membench.api import MemoryKind
from membench.retrieval import encoders
from membench.retrieval.bm25_index import postings
from membench.retrieval.dense import Embedded, Embedding, nearest
from membench.retrieval.fusion import fused
from membench.text.words import words

DEPTH = 100  # passages that each of the two rankings has at least


@dataclass(frozen=True)
class Hybrid(Embedding):
    """What `dpr` keeps; searched as `bm25` and as `dpr` search, by the ranks of both."""

    storage: ClassVar[str] = "O(n) text, vectors"
    kind: ClassVar[MemoryKind] = "growing"
    licence: ClassVar[str] = "all-minilm-l6-v2: Apache-2.0; the published DPR encoders: CC-BY-NC-4.0"

    k1: Annotated[float, Ge(0)] = 1.5
    b: Annotated[float, Ge(0), Le(1)] = 0.75

    @property
    def label(self) -> str | None:
        """With its encoder."""
        return f"hybrid ({encoders.label(self.encoder)})"

    def search(self, memory: Embedded, questions: Sequence[str]) -> list[Sequence[int]]:
        """By both rankings; one of words ends with the last passage that shares a word with the question."""
        depth = max(DEPTH, self.k)
        index = postings(self.passages(memory.contexts), self.k1, self.b)
        near = nearest(memory.vectors, self.encoded(questions, question=True), depth)
        return [
            fused([index.ranked(words(question), depth), by_vector])[: self.k]
            for question, by_vector in zip(questions, near, strict=True)
        ]
