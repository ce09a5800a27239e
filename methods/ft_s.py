"""FT(S): fine-tuning with hard labels on the same target sentences as SELF-PARAM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from membench.api import MemoryKind
from membench.trained import OnTargets


@dataclass(frozen=True)
class FtS(OnTargets):
    """LoRA by next-token cross-entropy on the pairs, context suffixes and generic text."""

    storage: ClassVar[str] = "O(1) weights"
    kind: ClassVar[MemoryKind] = "weights"

    @property
    def loss(self) -> str:
        """Hard labels."""
        return "ce"
