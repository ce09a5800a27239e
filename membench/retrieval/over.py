"""A retriever over another one, which a setting names: what `rerank` and `contextual` share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

from membench.api import Method, identity_of
from membench.errors import MembenchError
from membench.plugins import registry
from membench.plugins.parts import part
from membench.retrieval.method import Retrieval
from membench.settings.types import name_of


@dataclass(frozen=True)
class Over(Retrieval[Any]):
    """Its memory is that of the retriever below, which writes, forgets and searches."""

    of: str = "bm25"  # the retriever: NAME, or NAME KEY=VALUE ... with settings of its own

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self.retriever

    @cached_property
    def retriever(self) -> Retrieval[Any]:
        """The retriever below. It cuts passages as this one does where this one's length is set.

        Raises MembenchError for a method that is no retriever.
        """
        name = (self.of.split() or [""])[0]
        if not issubclass(registry.load("methods", name), Retrieval):
            raise MembenchError(f"{name_of(type(self))} stands over a method that searches texts: of={self.of} is none")
        found = cast("Retrieval[Any]", part(self.of, self, **self.lends))
        lengths = (self.chunk_tokens, self.overlap) if self.chunk_tokens else (found.chunk_tokens, found.overlap)
        return replace(found, k=self.depth, chunk_tokens=lengths[0], overlap=lengths[1])

    @property
    def depth(self) -> int:
        """Passages that the retriever below ranks."""
        return self.k

    @property
    def lends(self) -> dict[str, Any]:
        """What the retriever below gets beside what was lent to this one."""
        return {}

    @property
    def parts(self) -> tuple[Method[Any], ...]:
        """With the retriever."""
        return (self, *self.retriever.parts)

    @property
    def forgets(self) -> bool:
        """If the retriever does."""
        return self.retriever.forgets

    def sources(self, offline: bool = False) -> dict[str, Any]:
        """The retriever with its own."""
        return {"of": identity_of(self.retriever, offline)}

    def fetches(self) -> tuple[str, ...]:
        """Those of the retriever."""
        return self.retriever.fetches()

    def require_model(self) -> None:
        """As the retriever does."""
        self.retriever.require_model()

    def write(self, memory: Any, contexts: Sequence[str]) -> Any:
        """By the retriever."""
        return self.retriever.write(memory, contexts)

    def forget(self, memory: Any, contexts: Sequence[str]) -> Any:
        """By the retriever."""
        return self.retriever.forget(memory, contexts)

    def texts(self, memory: Any) -> Sequence[str]:
        """Those of the retriever."""
        return self.retriever.texts(memory)

    def search(self, memory: Any, questions: Sequence[str]) -> list[Sequence[int]]:
        """As the retriever does."""
        return self.retriever.search(memory, questions)
