"""Another retriever's candidates in the order of the question's likelihood behind each (UPR, Sachan et al., 2022)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from membench.api import AtLeast1, MemoryKind
from membench.model.question_likelihood import question_logprobs
from membench.retrieval.over import Over


@dataclass(frozen=True)
class Rerank(Over):
    """The memory is that of the retriever; what is more is done when a question is asked."""

    storage: ClassVar[str] = "that of its retriever"
    kind: ClassVar[MemoryKind] = "growing"

    candidates: AtLeast1 = 10  # passages of the retriever that are read, at most

    @property
    def label(self) -> str | None:
        """With what puts in order, as a row might pass for a cross-encoder's."""
        return "rerank (question likelihood)"

    @property
    def depth(self) -> int:
        """The candidates."""
        return self.candidates

    def search(self, memory: Any, questions: Sequence[str]) -> list[Sequence[int]]:
        """By the likelihood of the question behind the passage; ties as the retriever ranks them."""
        texts = self.retriever.texts(memory)
        found = [ranking[: self.candidates] for ranking in super().search(memory, questions)]
        scores = question_logprobs(self.llm, questions, [[texts[i] for i in ranking] for ranking in found])
        return [
            [place for _, place in sorted(zip(likely, ranking, strict=True), key=lambda pair: -pair[0])]
            for likely, ranking in zip(scores, found, strict=True)
        ]
