"""What the retrieval methods share: how texts are cut, how many passages stand in the prompt, and in which order.

A memory keeps the contexts as they were written. Their passages are derived from them, so that to forget a context is
to drop it: what is left is what would be there had it never been written.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeVar

from membench.api import Method, lent
from membench.errors import MembenchError
from membench.model.room import fitting
from membench.retrieval.passages import passages
from membench.settings.types import AtLeast0, AtLeast1
from membench.values import Recall

if TYPE_CHECKING:
    from membench.model.llm import LLM

M = TypeVar("M")


@dataclass(frozen=True)
class Retrieval(Method[M]):
    """The settings of a memory that is searched; tokens are those of the model that reads."""

    k: AtLeast1 = 1  # passages before each question
    chunk_tokens: AtLeast0 = 0  # of a passage at most; 0: a context is one passage
    overlap: AtLeast0 = 0  # tokens that a passage repeats of the one before it
    order: Literal["score", "written"] = "score"  # of the passages in the prompt: the best first, or as written
    budget: AtLeast0 = 0  # tokens of all passages before a question; 0: what the window has room for
    cut: Callable[[Sequence[str]], tuple[str, ...]] | None = lent()  # by a method over this one: contexts to passages

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.overlap and self.overlap >= self.chunk_tokens:
            raise MembenchError(f"setting overlap must be below chunk_tokens ({self.chunk_tokens}), got {self.overlap}")

    @property
    def most(self) -> int | None:
        """Passages before a question, at most; None for as many as budget and window hold."""
        return self.k or None

    @abstractmethod
    def texts(self, memory: M) -> Sequence[str]:
        """All that can be recalled, in the order of writing."""

    @abstractmethod
    def search(self, memory: M, questions: Sequence[str]) -> list[Sequence[int]]:
        """For each question, places in `texts`, the best first; more than are shown do no harm."""

    def recall(self, memory: M | None, questions: Sequence[str]) -> Recall:
        """The best passages for each question, as many as k, budget and window allow."""
        if memory is None:
            return Recall()
        texts = self.texts(memory)
        found = self.search(memory, questions)
        return Recall(contexts=tuple(self._shown(texts, *pair) for pair in zip(found, questions, strict=True)))

    def passages(self, contexts: Sequence[str]) -> tuple[str, ...]:
        """The contexts, cut as set."""
        if self.cut:
            return self.cut(contexts)
        if not self.chunk_tokens:
            return tuple(contexts)
        return _cut(self.llm, tuple(contexts), self.chunk_tokens, self.overlap)

    def _shown(self, texts: Sequence[str], ranking: Sequence[int], question: str) -> tuple[str, ...]:
        """Added best first, until the first that does not fit."""
        best = ranking[: self.most]
        if self.llm is not None:  # otherwise nobody reads, so there is no window
            best = best[: fitting(self.llm, [texts[i] for i in best], question, self.budget)]
        return tuple(texts[i] for i in (sorted(best) if self.order == "written" else best))


@lru_cache(maxsize=4)
def _cut(llm: LLM, contexts: tuple[str, ...], limit: int, overlap: int) -> tuple[str, ...]:
    def count(text: str) -> int:
        return len(llm.ids(text))

    return tuple(passage for context in contexts for passage in passages(context, limit, overlap, count))
