"""SELF-PARAM: the model learns to answer without the context as it does with it (Wang et al., ICLR 2025)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge

from membench.api import MemoryKind, added
from membench.trained import OnTargets


@dataclass(frozen=True)
class SelfParam(OnTargets):
    """LoRA that minimises the forward KL from the model with the context to the model without it."""

    storage: ClassVar[str] = "O(1) weights"
    kind: ClassVar[MemoryKind] = "weights"

    reduction: Literal["token_mean", "vocab_mean"] = "token_mean"  # vocab_mean: released code (wants another lr)
    hold: Annotated[float, Ge(0)] = added(0.0)  # pairs of earlier writes for each pair, answered as before this write

    @property
    def loss(self) -> str:
        """The teacher's distribution."""
        return "kl"

    @property
    def reduction_of_kl(self) -> str:
        """As set."""
        return self.reduction

    @property
    def held(self) -> float:
        """As set."""
        return self.hold
