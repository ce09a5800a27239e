"""A cartridge for every context, chosen for each question by retrieval, as `lora-bank` chooses adapters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from membench.api import MemoryKind, Method, Recall
from membench.errors import MembenchError
from membench.keyvalues.cartridge import Cartridge
from membench.plugins import registry
from membench.reading.key_values import joined
from membench.retrieval.bank import Bank
from membench.retrieval.router import Routes
from membench.text.digest import digest


@dataclass(frozen=True)
class BankedCartridge:
    """The cartridge of one context, the context to find it by, and a digest to forget it by."""

    digest: str
    key: str
    cartridge: Cartridge


@dataclass(frozen=True)
class CartridgeBank(Bank[BankedCartridge]):
    """Each context is written into an empty memory by `cartridge`; a question has those of the nearest contexts."""

    storage: ClassVar[str] = "O(n) keys and values, text"
    kind: ClassVar[MemoryKind] = "growing"
    brings_text: ClassVar[bool] = False

    of: str = "cartridge"  # who makes a cartridge; with settings of its own in one text

    def refuse(self, maker: Method[Any]) -> None:
        """Any other method than `cartridge`."""
        if type(maker) is not registry.load("methods", "cartridge"):
            raise MembenchError(f"cartridge-bank is made of cartridges: of={self.of} makes none")

    def banked(self, text: str) -> BankedCartridge:
        """Its cartridge, and the text."""
        made: tuple[Cartridge, ...] = self.maker.write(None, [text]) or ()
        (cartridge,) = made
        return BankedCartridge(digest(text), text, cartridge)

    def brought(self, memory: tuple[BankedCartridge, ...], found: Sequence[Routes]) -> Recall:
        """The cartridges found for each question, in the order of writing."""
        places = [tuple(sorted(place for place, _ in route)) for route in found]
        made = {those: joined([memory[i].cartridge.prefix for i in those]) for those in dict.fromkeys(places)}
        return Recall(prefixes=tuple(made[those] for those in places))
