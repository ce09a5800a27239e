"""MemoryLLM's self-updatable pool of hidden states, on any Llama-style model (Wang et al., ICML 2024)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch

from membench.api import AtLeast1, MemoryKind, Method, Recall
from membench.errors import MembenchError
from membench.io.memory_codec import digest
from membench.keyvalues.pool import Pool, Sink, pieces, tail, update
from membench.keyvalues.pool_parts import PoolParts, load_parts
from membench.reading.key_values import project, require_projectable


@dataclass(frozen=True)
class MemoryLLM(Method[Pool]):
    """Grows until it is full, then drops old vectors at random; without a checkpoint nothing in it is trained."""

    storage: ClassVar[str] = "O(1) hidden states"
    kind: ClassVar[MemoryKind] = "bounded"
    brings_text: ClassVar[bool] = False
    cannot_forget: ClassVar[str] = (
        "later vectors of its pool were made while reading earlier ones, and to write the others anew costs a pass of "
        "the model over each"
    )

    size: AtLeast1 = 1024  # N: vectors a layer
    new: AtLeast1 = 160  # K: vectors that a piece of text leaves, at most
    chunk: AtLeast1 = 160  # tokens of a piece, at most
    store: Literal["input", "output"] = "input"  # of each layer its input, or (published): its output
    drop: Literal["layer", "shared"] = "layer"  # at places of its own in each layer, or: shared by all
    checkpoint: str | None = None  # folder of `membench train-memory`

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.new > self.size:
            raise MembenchError(f"setting new must be at most size, {self.size}, got {self.new}")
        if self.checkpoint:
            load_parts(self.checkpoint).require(new=self.new, chunk=self.chunk, store=self.store)

    def sources(self, offline: bool = False) -> dict[str, Any]:
        """The trained parts, if any."""
        return {"checkpoint": digest(load_parts(self.checkpoint))} if self.checkpoint else {}

    @property
    def label(self) -> str | None:
        """Without trained parts it is the mechanism alone, and no row may pass for MemoryLLM."""
        return None if self.checkpoint else "memoryllm (untrained)"

    def require_model(self) -> None:
        """Keys and values must be made as in Llama, and trained parts fit."""
        self._parts()

    def write(self, memory: Pool | None, contexts: Sequence[str]) -> Pool | None:
        """Piece after piece: read behind the newest vectors, keep the last hidden states, drop what is too much."""
        states, writes = (memory.states, memory.writes) if memory else (None, 0)
        parts = self._parts()
        with torch.no_grad(), self.llm.wearing(parts.write if parts else None):
            sink = Sink(self.llm)
            for text in contexts:
                for piece in pieces(self.llm, text, self.chunk):
                    fresh = sink.states_of(piece, tail(states, self.new), self.store)[:, -self.new :].cpu()
                    states = update(states, fresh, self.size, self.drop, self.seed * 1_000_003 + writes)
                    writes += 1
            self.llm.meter.add(read=sink.tree.tokens_read)
        return None if states is None else Pool(states.contiguous(), writes)

    def recall(self, memory: Pool | None, questions: Sequence[str]) -> Recall:
        """Keys and values of all vectors, made as the reader will make its own."""
        parts = self._parts()
        read = parts.read if parts else None
        if memory is None:
            return Recall(adapter=read)
        with torch.no_grad(), self.llm.wearing(read):
            made = project(self.llm.model.get_decoder(), list(memory.states.to(self.llm.device)))
        return Recall(adapter=read, prefix=made)

    def _parts(self) -> PoolParts | None:
        """The trained parts, fitting this model. Raises MembenchError for a model that this cannot be played on."""
        require_projectable(self.llm.model, self.llm.name)
        if not self.checkpoint:
            return None
        parts = load_parts(self.checkpoint)
        parts.require_fit(self.llm)
        return parts
