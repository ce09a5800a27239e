"""An adapter for every context, chosen for each question by retrieval (after Parametric RAG, Su et al., SIGIR 2025)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from membench.api import Adapter, MemoryKind, Method, Recall
from membench.errors import MembenchError
from membench.retrieval.bank import Bank
from membench.retrieval.router import Routes
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
class LoraBank(Bank[Banked]):
    """Each context is written into an empty memory by a method that trains adapters; the bank keeps all of them."""

    storage: ClassVar[str] = "O(n) adapters, text"
    kind: ClassVar[MemoryKind] = "growing"
    brings_text: ClassVar[bool] = False

    of: str = "selfparam"  # who trains an adapter: NAME, or NAME KEY=VALUE ... with settings of its own
    merge: Literal["sum", "score"] = "sum"  # of several: each whole, as in the released code; or by its share of scores
    route: Literal["text", "questions"] = (
        "text"  # what is kept to find an adapter: the context, or its target questions
    )

    def refuse(self, maker: Method[Any]) -> None:
        """A method that trains no adapter, or that has no questions."""
        if not isinstance(maker, Trained):
            raise MembenchError(f"lora-bank is made of adapters that a method trains: of={self.of} trains none")
        if self.route == "questions" and not isinstance(maker, OnTargets):
            raise MembenchError(f"route=questions wants a method that is trained on questions: of={self.of} is not")

    def banked(self, text: str) -> Banked:
        """Its adapter, and what is kept to find it."""
        key = text
        if self.route == "questions":
            (pairs,) = self.maker.pairs_about([text])  # type: ignore[attr-defined]
            key = "\n".join(pair.question for pair in pairs)
        adapter = self.maker.write(None, [text])
        assert isinstance(adapter, Adapter)
        return Banked(digest(text), key, adapter)

    def brought(self, memory: tuple[Banked, ...], found: Sequence[Routes]) -> Recall:
        """For each question the adapters of the contexts that it is nearest to, as one."""
        made = {route: self._merged(memory, route) for route in map(self._weighted, found)}
        return Recall(adapters=tuple(made[self._weighted(route)] for route in found))

    def _weighted(self, found: Routes) -> Routes:
        """The same places with the weights of their adapters."""
        total = sum(score for _, score in found)
        if self.merge == "sum" or not total:
            return tuple((place, 1.0) for place in sorted(place for place, _ in found))
        return tuple((place, score / total) for place, score in found)

    @staticmethod
    def _merged(memory: tuple[Banked, ...], route: Routes) -> Adapter:
        return merged([memory[place].adapter for place, _ in route], [weight for _, weight in route])
