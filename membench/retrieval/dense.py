"""What `dpr`, `hybrid` and `raptor` share: an encoder, and the exact search for the nearest vectors (faiss)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from membench.retrieval import encoders
from membench.retrieval.encoders import Vectors
from membench.retrieval.method import Retrieval

M = TypeVar("M")


@dataclass(frozen=True, eq=False)
class Embedded:
    """The contexts as written, and the vectors [passages, width] of their passages."""

    contexts: tuple[str, ...]
    vectors: Vectors


@dataclass(frozen=True)
class Dense(Retrieval[M]):
    """A memory that is searched by the inner product of vectors."""

    encoder: str = "all-minilm-l6-v2"  # alias, folder or hub id; or QUESTION_ENCODER,CTX_ENCODER

    def __post_init__(self) -> None:
        super().__post_init__()
        encoders.names(self.encoder)

    def sources(self, offline: bool = False) -> dict[str, Any]:
        """The encoder's weights, and what stands beside them."""
        weights, files = zip(*encoders.identity(self.encoder, offline), strict=True)
        return {"encoder": list(weights), "encoder_files": list(files)}

    def fetches(self) -> tuple[str, ...]:
        """The encoder, or both."""
        return tuple(encoders.names(self.encoder))

    def encoded(self, texts: Sequence[str], question: bool = False) -> Vectors:
        """The vectors [texts, width] of passages or of questions."""
        loaded = encoders.load(self.encoder, str(self.llm.device), self.llm.trusts_code)
        return loaded.vectors(texts, self.llm.meter, question)


@dataclass(frozen=True)
class Embedding(Dense[Embedded]):
    """A memory of texts with a vector a passage."""

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

    def forget(self, memory: Embedded, contexts: Sequence[str]) -> Embedded | None:
        """Drop the contexts with their vectors: what is left is what would be there had they never been written."""
        gone = set(contexts)
        kept = tuple(text for text in memory.contexts if text not in gone)
        rows = [text not in gone for text in memory.contexts for _ in self.passages([text])]
        return Embedded(kept, memory.vectors[rows]) if kept else None


def nearest(vectors: Vectors, questions: Vectors, k: int) -> list[list[int]]:
    """For each question the k nearest rows of `vectors`, the nearest first, those of one text in the order of writing.

    Where such a row is the last that is returned, it may be any of them. The search is that of IndexFlatIP, without the
    copy of all vectors that an index makes.
    """
    import faiss

    out = []
    for question in questions:  # one at a time: faiss rounds a batch of twenty otherwise than a single one
        scores, rows = faiss.knn(question[None], vectors, min(k, len(vectors)), faiss.METRIC_INNER_PRODUCT)
        order = np.lexsort((rows[0], -scores[0]))
        out.append([int(i) for i in rows[0][order]])
    return out
