"""A trained key-value prefix for each text, distilled as SELF-PARAM is (Cartridges, Eyuboglu et al., 2025)."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from membench.api import MemoryKind, Method, Prefix, Recall
from membench.errors import MembenchError
from membench.keyvalues.cartridge import Cartridge, CartridgeSentences, distil, own_prefix
from membench.model.key_values import joined, require_projectable
from membench.trained.trainer import PRECISIONS


@dataclass(frozen=True)
class CartridgeMethod(Method[tuple[Cartridge, ...]]):
    """Each text becomes a prefix of its own; prefixes stand one behind another, and one is forgotten by dropping it."""

    storage: ClassVar[str] = "O(n) keys and values"
    kind: ClassVar[MemoryKind] = "growing"

    tokens: int = 64  # of a prefix, at most; it starts as the text's own first keys and values
    lr: float = 1e-2  # of the first step; it falls linearly to 0
    epochs: int = 12  # passes over the sentences; 0 leaves the prefix as it starts
    batch_size: int = CartridgeSentences.batch_size
    precision: str = "auto"
    targets: str = CartridgeSentences.targets
    answers: str = CartridgeSentences.answers
    pairs: int = CartridgeSentences.pairs
    suffix: float = CartridgeSentences.suffix
    generic: float = CartridgeSentences.generic
    generic_text: str = CartridgeSentences.generic_text
    generic_teacher: str = CartridgeSentences.generic_teacher
    loss_on: str = CartridgeSentences.loss_on

    def __post_init__(self) -> None:
        if self.tokens < 1:
            raise MembenchError(f"setting tokens must be at least 1, got {self.tokens}")
        if self.epochs < 0:
            raise MembenchError(f"setting epochs must not be negative, got {self.epochs}")
        if self.lr <= 0:
            raise MembenchError(f"setting lr must be positive, got {self.lr}")
        if self.precision not in PRECISIONS:
            raise MembenchError(f"setting precision must be one of {', '.join(PRECISIONS)}, got {self.precision!r}")
        self._sentences()

    def sources(self, offline: bool = False) -> dict[str, Any]:
        """Those of the target sentences."""
        return self._sentences().sources(offline)

    def require_model(self) -> None:
        """Keys and values must be made as in Llama."""
        require_projectable(self.llm.model, self.llm.name)

    def write(self, memory: tuple[Cartridge, ...] | None, contexts: Sequence[str]) -> tuple[Cartridge, ...]:
        """One more cartridge a text; what it becomes depends on no other text."""
        self.require_model()
        return (*(memory or ()), *(self._cartridge(text) for text in contexts))

    def recall(self, memory: tuple[Cartridge, ...] | None, questions: Sequence[str]) -> Recall:
        """All cartridges, in the order of writing."""
        return Recall(prefix=joined([cartridge.prefix for cartridge in memory]) if memory else None)

    def forget(self, memory: tuple[Cartridge, ...], contexts: Sequence[str]) -> tuple[Cartridge, ...] | None:
        """Drop the cartridges of these texts: what is left is what would be there had they never been written."""
        gone = set(map(_digest, contexts))
        return tuple(cartridge for cartridge in memory if cartridge.text not in gone) or None

    def _cartridge(self, text: str) -> Cartridge:
        digest = _digest(text)
        stream, rng = self._sentences(), random.Random(f"{self.seed} {digest}")
        steps = list(stream.steps([text], stream.pairs_about([text]), rng)) if self.epochs else []
        start: Prefix = own_prefix(self.llm, text, self.tokens)
        return Cartridge(digest, distil(self.llm, steps, start, self.lr, self.precision))

    def _sentences(self) -> CartridgeSentences:
        """What SELF-PARAM of the same settings is trained on. Raises MembenchError for settings out of range."""
        return CartridgeSentences(
            llm=self.llm, scribe=self.scribe, epochs=max(1, self.epochs), batch_size=self.batch_size,
            targets=self.targets, answers=self.answers, pairs=self.pairs, suffix=self.suffix, generic=self.generic,
            generic_text=self.generic_text, generic_teacher=self.generic_teacher, loss_on=self.loss_on,
        )  # fmt: skip


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
