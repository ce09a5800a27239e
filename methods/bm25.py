"""BM25 retrieval: the contexts are kept as text and the best-matching ones stand in the prompt (rank-bm25)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Le

from membench.api import MemoryKind
from membench.retrieval.bm25_index import best, postings
from membench.retrieval.method import Retrieval
from membench.text.words import words


@dataclass(frozen=True)
class BM25(Retrieval[tuple[str, ...]]):
    """One context is one document, as the published protocol's contexts are short passages.

    BM25Plus, because its IDF ln((N + 1) / n) stays positive; the classic Okapi IDF is zero or negative for one or two
    documents, so that ties would decide. Ties go to the document written first.
    """

    storage: ClassVar[str] = "O(n) text"
    kind: ClassVar[MemoryKind] = "text"

    k1: Annotated[float, Ge(0)] = 1.5
    b: Annotated[float, Ge(0), Le(1)] = 0.75

    def write(self, memory: tuple[str, ...] | None, contexts: Sequence[str]) -> tuple[str, ...]:
        """Append the texts; the index is derived from them."""
        return (*(memory or ()), *contexts)

    def texts(self, memory: tuple[str, ...]) -> Sequence[str]:
        """The contexts' passages."""
        return self.passages(memory)

    def search(self, memory: tuple[str, ...], questions: Sequence[str]) -> list[Sequence[int]]:
        """By BM25 score; ties go to the passage written first."""
        index = postings(self.passages(memory), self.k1, self.b)
        return [best(index.get_scores(words(question)), self.k) for question in questions]

    def forget(self, memory: tuple[str, ...], contexts: Sequence[str]) -> tuple[str, ...] | None:
        """Drop the contexts: what is left is what would be there had they never been written."""
        gone = set(contexts)
        return tuple(text for text in memory if text not in gone) or None
