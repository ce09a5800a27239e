"""What text memories, and those who play them, need of a model, wherever it is: here, in an engine, at an endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import torch

from membench.model.decoding import Completion, Reading
from membench.model.likelihood import Reference
from membench.model.meter import Meter
from membench.prompts.prompt import Renderer
from membench.values import Recall


class TextModel(Protocol):
    """A model that answers questions under a recall, and counts its tokens.

    `spoilt`: a method left it changed, so it is not lent again. `bos`: the tokens that open a sequence.
    """

    name: str
    spoilt: bool
    renderer: Renderer
    meter: Meter
    bos: tuple[int, ...]
    max_new_tokens: int
    stop: str

    @property
    def window(self) -> int:
        """The longest input in tokens; sys.maxsize where nobody tells."""
        ...

    @property
    def device(self) -> torch.device:
        """Where tensors for it stand, and the encoder of a search."""
        ...

    @property
    def is_here(self) -> bool:
        """Whether its weights are in this process, so that what it takes can be measured."""
        ...

    @property
    def ahead(self) -> int:
        """How many questions may be asked before their turn, as their answers are kept; 0 for none."""
        ...

    @property
    def slow(self) -> bool:
        """Whether it is read by its own forward pass alone, so that no keys and values can be lent to it."""
        ...

    @property
    def parameters(self) -> int | None:
        """How many parameters it has, None where nobody tells."""
        ...

    def ids(self, text: str) -> list[int]:
        """Tokens of a text that stands behind another one."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """The text of tokens."""
        ...

    def segment_ids(self, contexts: Sequence[str], question: str) -> list[list[int]]:
        """The prompt as token segments."""
        ...

    def answer(
        self,
        recall: Recall,
        questions: Sequence[str],
        candidates: Sequence[Sequence[str]] | None = None,
        references: Sequence[Reference | None] | None = None,
    ) -> list[Reading]:
        """Answer questions under a recall, greedily; `Reading` says what is asked beside."""
        ...

    def complete(self, prompts: Sequence[str], max_new_tokens: int, stop: str = "\n") -> list[Completion]:
        """Continue raw prompts greedily until `stop` appears."""
        ...

    def answering(self, form: tuple[int, str] | None) -> AbstractContextManager[None]:
        """The model with a task's form of answers; None leaves its own."""
        ...
