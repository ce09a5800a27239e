"""InfLLM: a stream's evicted keys and values in units that later tokens look up (Xiao et al., NeurIPS 2024)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from membench.api import AtLeast0, AtLeast1, MemoryKind, Method, Recall
from membench.errors import MembenchError
from membench.keyvalues.block_attention import Rule
from membench.keyvalues.infllm import Stream, StreamLookup, refuse, rule_for, write


@dataclass(frozen=True)
class InfLLM(Method[Stream]):
    """Training-free. Texts are streamed once; what leaves the window is kept in units, and read in part."""

    storage: ClassVar[str] = "O(n) keys and values"
    kind: ClassVar[MemoryKind] = "growing"
    brings_text: ClassVar[bool] = False

    local: AtLeast1 = 512  # tokens of the window
    initial: AtLeast0 = 0  # tokens of the stream that are always seen, beside the worked examples
    unit: AtLeast1 = 32  # tokens of a unit
    representatives: AtLeast1 = 4  # tokens that stand for a unit
    top_k: AtLeast0 = 8  # units that a chunk looks up
    chunk: AtLeast1 = 128  # tokens that look up together
    score: Literal["attention", "product"] = "attention"  # of representatives: received (released code); paper: product

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.representatives > self.unit:
            raise MembenchError(
                f"setting representatives must be at most unit ({self.unit}), got {self.representatives}"
            )

    @property
    def rule(self) -> Rule:
        """The settings, with the worked examples among the initial tokens."""
        sizes = (self.initial, self.local, self.unit, self.representatives, self.top_k, self.chunk)
        return rule_for(self.llm, Rule(*sizes, self.score))

    def require_model(self) -> None:
        """Keys must be rotated as in Llama, and all be seen."""
        refuse(self.llm)

    def write(self, memory: Stream | None, contexts: Sequence[str]) -> Stream:
        """Stream the texts."""
        return write(self.llm, self.rule, memory, contexts)

    def recall(self, memory: Stream | None, questions: Sequence[str]) -> Recall:
        """The units, the window, and the rule; notes how far the stream goes beyond the window."""
        if memory is None:
            return Recall()
        examples = len(self.llm.segment_ids([], "")[0])
        return Recall(
            lookup=StreamLookup(self.rule, memory), notes={"regime": (examples + memory.keys.shape[2]) / self.local}
        )

    def forget(self, memory: Stream, contexts: Sequence[str]) -> Stream | None:
        """Stream the other texts anew: every key depends on the texts before it."""
        gone = set(contexts)
        kept = [text for text in memory.texts if text not in gone]
        return self.write(None, kept) if kept else None
