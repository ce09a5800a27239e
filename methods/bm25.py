"""BM25 retrieval: the contexts are kept as text and the best-matching ones stand in the prompt (rank-bm25)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from rank_bm25 import BM25Plus

from membench.api import Method, Recall
from membench.errors import MembenchError


def words(text: str) -> list[str]:
    """Lower-case words, punctuation dropped."""
    return re.findall(r"\w+", text.lower())


@dataclass(frozen=True)
class BM25(Method[tuple[str, ...]]):
    """One context is one document, as the published protocol's contexts are short passages.

    BM25Plus, because its IDF ln((N + 1) / n) stays positive; the classic Okapi IDF is zero or negative for one or two
    documents, so that ties would decide. Ties go to the document written first.
    """

    storage: ClassVar[str] = "O(n) text"

    k: int = 1  # documents before each question
    k1: float = 1.5
    b: float = 0.75

    def __post_init__(self) -> None:
        if self.k < 1:
            raise MembenchError(f"setting k must be at least 1, got {self.k}")

    def write(self, memory: tuple[str, ...] | None, contexts: Sequence[str]) -> tuple[str, ...]:
        """Append the texts; the index is derived from them at every recall."""
        return (*(memory or ()), *contexts)

    def recall(self, memory: tuple[str, ...] | None, questions: Sequence[str]) -> Recall:
        """The k best documents for each question, the best one first."""
        if not memory:
            return Recall()
        index = BM25Plus([words(text) for text in memory], k1=self.k1, b=self.b)
        picks = [np.argsort(-index.get_scores(words(question)), kind="stable")[: self.k] for question in questions]
        return Recall(contexts=tuple(tuple(memory[i] for i in pick) for pick in picks))

    def forget(self, memory: tuple[str, ...], contexts: Sequence[str]) -> tuple[str, ...] | None:
        """Drop the documents: what is left is what would be there had they never been written."""
        return tuple(text for text in memory if text not in set(contexts)) or None
