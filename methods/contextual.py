"""Passages that carry a line of their document, its title and its first sentence, into another retriever's index."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from membench.api import AtLeast0, AtLeast1, MemoryKind
from membench.retrieval.encoders import titled
from membench.retrieval.over import Over
from membench.retrieval.passages import passages
from membench.text.sentences import sentences

if TYPE_CHECKING:
    from membench.model.llm import LLM

LINE_TOKENS = 40  # of the line, at most


@dataclass(frozen=True)
class Contextual(Over):
    """The memory keeps the texts as they were written; lines and passages are derived from them."""

    version: ClassVar[int] = 3  # 2: the first sentence behind a title, too; 3: titles in any script and in quotes
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
        if not self.chunk_tokens:
            return tuple(contexts)
        return _with_lines(self.llm, tuple(contexts), self.chunk_tokens, self.overlap)


@lru_cache(maxsize=4)
def _with_lines(llm: LLM, contexts: tuple[str, ...], limit: int, overlap: int) -> tuple[str, ...]:
    def count(text: str) -> int:
        return len(llm.ids(text))

    found: list[str] = []
    for text in contexts:
        first, *rest = passages(text, limit, overlap, count) or (text,)
        line = _line(text, count) if rest else ""
        found += (first, *(f"{line}\n{passage}" for passage in rest))
    return tuple(found)


def _line(text: str, count: Callable[[str], int]) -> str:
    """The title of a document that has one, and as much of its first sentence as there is room for."""
    title, body = titled(text)
    first = next(iter(sentences(body)), "")
    line = f"{title}. {first}" if title else first
    if not title or count(line) <= LINE_TOKENS:
        return passages(line, LINE_TOKENS, 0, count)[0]
    room = LINE_TOKENS - count(f"{title}. ")
    return f"{title}. {passages(first, room, 0, count)[0]}" if room > 0 else passages(title, LINE_TOKENS, 0, count)[0]
