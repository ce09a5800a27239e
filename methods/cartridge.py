"""A trained key-value prefix for each text, distilled as SELF-PARAM is (Cartridges, Eyuboglu et al., 2025)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Ge, Gt

from membench.api import AtLeast0, AtLeast1, MemoryKind, Method, Prefix, Recall
from membench.errors import MembenchError
from membench.keyvalues.cartridge import Cartridge, CartridgeSentences, distil, own_prefix
from membench.reading.key_values import joined, require_projectable
from membench.text.digest import digest
from membench.trained.trainer import Precision


@dataclass(frozen=True)
class CartridgeMethod(Method[tuple[Cartridge, ...]]):
    """Each text becomes a prefix of its own; prefixes stand one behind another, and one is forgotten by dropping it."""

    storage: ClassVar[str] = "O(n) keys and values"
    kind: ClassVar[MemoryKind] = "growing"
    brings_text: ClassVar[bool] = False

    tokens: AtLeast1 = 64  # of a prefix, at most; it starts as the text's own first keys and values
    lr: Annotated[float, Gt(0)] = 1e-2  # of the first step; it falls linearly to 0
    epochs: AtLeast0 = 12  # passes over the sentences; 0 leaves the prefix as it starts
    batch_size: AtLeast1 = CartridgeSentences.batch_size
    precision: Precision = "auto"
    targets: str = CartridgeSentences.targets
    answers: Literal["own", "gold"] = CartridgeSentences.answers
    pairs: AtLeast1 = CartridgeSentences.pairs
    suffix: Annotated[float, Ge(0)] = CartridgeSentences.suffix
    generic: Annotated[float, Ge(0)] = CartridgeSentences.generic
    generic_text: str = CartridgeSentences.generic_text
    generic_teacher: Literal["context", "none"] = CartridgeSentences.generic_teacher
    loss_on: Literal["answer", "all"] = CartridgeSentences.loss_on

    def __post_init__(self) -> None:
        super().__post_init__()
        self._sentences()

    def sources(self, offline: bool = False) -> dict[str, Any]:
        """Those of the target sentences."""
        return self._sentences().sources(offline)

    def require_model(self) -> None:
        """Keys and values must be made as in Llama; in float16 they do not stand beside those that are trained."""
        require_projectable(self.llm.model, self.llm.name)
        if self.epochs and self.llm.model.dtype == torch.float16:
            raise MembenchError("a prefix is not trained over float16 weights: take --dtype bfloat16, or float32")

    def write(self, memory: tuple[Cartridge, ...] | None, contexts: Sequence[str]) -> tuple[Cartridge, ...]:
        """One more cartridge a text; what it becomes depends on no other text."""
        self.require_model()
        return (*(memory or ()), *(self._cartridge(text) for text in contexts))

    def recall(self, memory: tuple[Cartridge, ...] | None, questions: Sequence[str]) -> Recall:
        """All cartridges, in the order of writing."""
        return Recall(prefix=joined([cartridge.prefix for cartridge in memory]) if memory else None)

    def forget(self, memory: tuple[Cartridge, ...], contexts: Sequence[str]) -> tuple[Cartridge, ...] | None:
        """Drop the cartridges of these texts: what is left is what would be there had they never been written."""
        gone = set(map(digest, contexts))
        return tuple(cartridge for cartridge in memory if cartridge.text not in gone) or None

    def _cartridge(self, text: str) -> Cartridge:
        known = digest(text)
        stream, rng = self._sentences(), random.Random(f"{self.seed} {known}")
        materials = stream.materials([text], stream.pairs_about([text])) if self.epochs else []
        steps = list(stream.steps(materials, rng)) if self.epochs else []
        start: Prefix = own_prefix(self.llm, text, self.tokens)
        return Cartridge(known, distil(self.llm, steps, start, self.lr, self.precision))

    def _sentences(self) -> CartridgeSentences:
        """What SELF-PARAM of the same settings is trained on. Raises MembenchError for settings out of range."""
        return CartridgeSentences(
            llm=self.llm, scribe=self.scribe, epochs=max(1, self.epochs), batch_size=self.batch_size,
            targets=self.targets, answers=self.answers, pairs=self.pairs, suffix=self.suffix, generic=self.generic,
            generic_text=self.generic_text, generic_teacher=self.generic_teacher, loss_on=self.loss_on,
        )  # fmt: skip
