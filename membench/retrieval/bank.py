"""A bank: a memory of its own for every context, and those that a question is nearest to are what it recalls."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, TypeVar

from membench.api import AtLeast1, Method, Recall, identity_of
from membench.plugins.parts import part
from membench.retrieval.router import Routes, routes
from membench.text.digest import digest


class Entry(Protocol):
    """What a bank keeps of one context, beside the memory that was made of it."""

    @property
    def digest(self) -> str:
        """Of the text, to forget it by."""
        ...

    @property
    def key(self) -> str:
        """What a question is compared with."""
        ...


E = TypeVar("E", bound=Entry)


@dataclass(frozen=True)
class Bank(Method[tuple[E, ...]]):
    """What banks have in common: who makes the memories, how many a question gets, writing, finding and forgetting."""

    of: str = ""  # who makes the memory of a context: NAME, or NAME KEY=VALUE ... with settings of its own
    k: AtLeast1 = 1  # memories for a question

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self.maker

    @cached_property
    def maker(self) -> Method[Any]:
        """Who makes the memories. Raises MembenchError for one that this bank cannot keep."""
        found = part(self.of, self)
        self.refuse(found)
        return found

    @abstractmethod
    def refuse(self, maker: Method[Any]) -> None:
        """Raise MembenchError for a method whose memories the bank cannot keep."""

    @abstractmethod
    def banked(self, text: str) -> E:
        """What is kept of a text; it depends on no other text."""

    @abstractmethod
    def brought(self, memory: tuple[E, ...], found: Sequence[Routes]) -> Recall:
        """What the memories found for each question bring to it."""

    @property
    def parts(self) -> tuple[Method[Any], ...]:
        """With who makes the memories."""
        return (self, *self.maker.parts)

    def sources(self, offline: bool = False) -> dict[str, Any]:
        """Who makes the memories, with its own."""
        return {"of": identity_of(self.maker, offline)}

    def fetches(self) -> tuple[str, ...]:
        """Those of who makes the memories."""
        return self.maker.fetches()

    def require_model(self) -> None:
        """As who makes the memories does."""
        self.maker.require_model()

    def write(self, memory: tuple[E, ...] | None, contexts: Sequence[str]) -> tuple[E, ...]:
        """One more memory a text."""
        return (*(memory or ()), *map(self.banked, contexts))

    def recall(self, memory: tuple[E, ...] | None, questions: Sequence[str]) -> Recall:
        """For each question what the contexts bring that it is nearest to."""
        if not memory:
            return Recall()
        return self.brought(memory, routes([one.key for one in memory], questions, self.k))

    def forget(self, memory: tuple[E, ...], contexts: Sequence[str]) -> tuple[E, ...] | None:
        """Drop what these texts became: what is left is what would be there had they never been written."""
        gone = set(map(digest, contexts))
        return tuple(one for one in memory if one.digest not in gone) or None
