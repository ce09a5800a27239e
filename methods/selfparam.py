"""SELF-PARAM: the model learns to answer without the context as it does with it (Wang et al., ICLR 2025)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge

from membench.api import AtLeast1, MemoryKind, added
from membench.errors import MembenchError
from membench.losses.divergences import Divergence, Objective
from membench.trained import OnTargets


@dataclass(frozen=True)
class SelfParam(OnTargets):
    """LoRA that minimises the forward KL from the model with the context to the model without it."""

    storage: ClassVar[str] = "O(1) weights"
    kind: ClassVar[MemoryKind] = "weights"

    reduction: Literal["token_mean", "vocab_mean"] = "token_mean"  # vocab_mean: released code (wants another lr)
    hold: Annotated[float, Ge(0)] = added(0.0)  # pairs of earlier writes for each pair, answered as before this write
    orthogonal: bool = added(False)  # each write's adapter reads no input that those of earlier writes read

    divergence: Divergence = added("forward")  # from the teacher; see membench.losses.divergences
    top_k: AtLeast1 = added(Objective.top_k)  # tokens that divergence=top_k tells apart
    on_policy: bool = added(False)  # pairs with answers that the student samples as it is, in place of the teacher's

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.divergence == "hidden" and self.reduction == "vocab_mean":
            raise MembenchError("reduction=vocab_mean is of a KL: divergence=hidden has no vocabulary to divide by")
        if self.on_policy and self.loss_on == "all":
            raise MembenchError("on_policy=true learns on sampled answers alone: take loss_on=answer")

    @property
    def loss(self) -> str:
        """The teacher's distribution."""
        return "kl"

    @property
    def objective(self) -> Objective:
        """As set."""
        return Objective(self.divergence, self.reduction, self.top_k, self.on_policy)

    @property
    def held(self) -> float:
        """As set."""
        return self.hold

    @property
    def apart(self) -> bool:
        """As set."""
        return self.orthogonal
