"""SELF-PARAM: the model learns to answer without the context as it does with it (Wang et al., ICLR 2025)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from membench.api import MemoryKind
from membench.trained import OnTargets


@dataclass(frozen=True)
class SelfParam(OnTargets):
    """LoRA that minimises the forward KL from the model with the context to the model without it."""

    storage: ClassVar[str] = "O(1) weights"
    kind: ClassVar[MemoryKind] = "weights"

    reduction: Literal["token_mean", "vocab_mean"] = "token_mean"  # vocab_mean: released code (wants another lr)

    @property
    def loss(self) -> str:
        """The teacher's distribution."""
        return "kl"

    @property
    def reduction_of_kl(self) -> str:
        """As set."""
        return self.reduction
