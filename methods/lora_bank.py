"""An adapter for every context, chosen for each question by retrieval (after Parametric RAG, Su et al., SIGIR 2025)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal

from membench.api import Adapter, AtLeast1, MemoryKind, Method, Recall, identity_of
from membench.errors import MembenchError
from membench.plugins.parts import part
from membench.retrieval.router import Routes, routes
from membench.text.digest import digest
from membench.trained import OnTargets, Trained
from membench.trained.lora import merged


@dataclass(frozen=True)
class Banked:
    """The adapter of one context, what a question is compared with to find it, and a digest to forget it by."""

    digest: str
    key: str
    adapter: Adapter


@dataclass(frozen=True)
class LoraBank(Method[tuple[Banked, ...]]):
    """Each context is written into an empty memory by a method that trains adapters; the bank keeps all of them."""

    storage: ClassVar[str] = "O(n) adapters, text"
    kind: ClassVar[MemoryKind] = "growing"

    of: str = "selfparam"  # who trains an adapter: NAME, or NAME KEY=VALUE ... with settings of its own
    k: AtLeast1 = 1  # adapters for a question
    merge: Literal["sum", "score"] = "sum"  # of several: each whole, as in the released code; or by its share of scores
    route: Literal["text", "questions"] = (
        "text"  # what is kept to find an adapter: the context, or its target questions
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self.trainer

    @cached_property
    def trainer(self) -> Trained:
        """Who trains an adapter. Raises MembenchError for a method that trains none, or that has no questions."""
        found = part(self.of, self)
        if not isinstance(found, Trained):
            raise MembenchError(f"lora-bank is made of adapters that a method trains: of={self.of} trains none")
        if self.route == "questions" and not isinstance(found, OnTargets):
            raise MembenchError(f"route=questions wants a method that is trained on questions: of={self.of} is not")
        return found

    @property
    def parts(self) -> tuple[Method[Any], ...]:
        """With who trains."""
        return (self, *self.trainer.parts)

    def sources(self, offline: bool = False) -> dict[str, Any]:
        """Who trains, with its own."""
        return {"of": identity_of(self.trainer, offline)}

    def fetches(self) -> tuple[str, ...]:
        """Those of who trains."""
        return self.trainer.fetches()

    def require_model(self) -> None:
        """As who trains does."""
        self.trainer.require_model()

    def write(self, memory: tuple[Banked, ...] | None, contexts: Sequence[str]) -> tuple[Banked, ...]:
        """One more adapter a text; what it becomes depends on no other text."""
        return (*(memory or ()), *map(self._banked, contexts))

    def recall(self, memory: tuple[Banked, ...] | None, questions: Sequence[str]) -> Recall:
        """For each question the adapters of the contexts that it is nearest to, as one."""
        if not memory:
            return Recall()
        found = routes([one.key for one in memory], questions, self.k)
        made = {route: self._merged(memory, route) for route in map(self._weighted, found)}
        return Recall(adapters=tuple(made[self._weighted(route)] for route in found))

    def forget(self, memory: tuple[Banked, ...], contexts: Sequence[str]) -> tuple[Banked, ...] | None:
        """Drop the adapters of these texts: what is left is what would be there had they never been written."""
        gone = set(map(digest, contexts))
        return tuple(one for one in memory if one.digest not in gone) or None

    def _banked(self, text: str) -> Banked:
        key = text
        if self.route == "questions":
            (pairs,) = self.trainer.pairs_about([text])
            key = "\n".join(pair.question for pair in pairs)
        return Banked(digest(text), key, self.trainer.write(None, [text]))

    def _weighted(self, found: Routes) -> Routes:
        """The same places with the weights of their adapters."""
        total = sum(score for _, score in found)
        if self.merge == "sum" or not total:
            return tuple((place, 1.0) for place in sorted(place for place, _ in found))
        return tuple((place, score / total) for place, score in found)

    @staticmethod
    def _merged(memory: tuple[Banked, ...], route: Routes) -> Adapter:
        return merged([memory[place].adapter for place, _ in route], [weight for _, weight in route])
