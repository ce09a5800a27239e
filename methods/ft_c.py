"""FT(C): fine-tuning with next-token cross-entropy on the contexts themselves."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from membench.api import AtLeast1, MemoryKind
from membench.trained import Trained
from membench.trained.sentences import Material, Sentence, batches, context_sentence


@dataclass(frozen=True)
class FtC(Trained):
    """LoRA by next-token cross-entropy on the whole text of each context."""

    storage: ClassVar[str] = "O(1) weights"
    kind: ClassVar[MemoryKind] = "weights"

    epochs: AtLeast1 = 24  # as many steps for one context as the methods trained on pairs take
    batch_size: AtLeast1 = 2  # contexts in a step: about as many tokens as a step of the methods trained on pairs

    @property
    def loss(self) -> str:
        """Hard labels."""
        return "ce"

    def steps(self, materials: Sequence[Material], rng: random.Random) -> Iterator[list[Sentence]]:
        """Every epoch all contexts in a new order."""
        texts = [context_sentence(self.llm, material) for material in materials]
        for chosen in batches(len(texts), self.batch_size, self.epochs, rng):
            yield [texts[i] for i in chosen]
