"""Passages that carry a line of their document, its title or its first sentence, into another retriever's index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from membench.api import AtLeast0, AtLeast1, MemoryKind
from membench.retrieval.encoders import titled
from membench.retrieval.over import Over
from membench.retrieval.passages import passages
from membench.text.sentences import sentences

LINE_TOKENS = 40  # of the line, at most


@dataclass(frozen=True)
class Contextual(Over):
    """The memory keeps the texts as they were written; lines and passages are derived from them."""

    storage: ClassVar[str] = "that of its retriever"
    kind: ClassVar[MemoryKind] = "growing"

    k: AtLeast1 = 2  # with chunk_tokens, about as much text as a context of the shipped data has
    chunk_tokens: AtLeast0 = 100  # of a passage at most, its line not counted

    @property
    def lends(self) -> dict[str, Any]:
        """How contexts become passages."""
        return {"cut": self.passages}

    def passages(self, contexts: Sequence[str]) -> tuple[str, ...]:
        """Every passage with its document's line before it, but for the first, which begins with it."""
        return tuple(passage for text in contexts for passage in self._with_line(text))

    def _with_line(self, text: str) -> tuple[str, ...]:
        first, *rest = super().passages((text,)) or (text,)
        return (first, *(f"{self._line(text)}\n{passage}" for passage in rest))

    def _line(self, text: str) -> str:
        """The title of a document that has one, else its first sentence."""
        line = titled(text)[0] or next(iter(sentences(text)), "")
        return passages(line, LINE_TOKENS, 0, lambda part: len(self.llm.ids(part)))[0]
