"""What the teacher says of the sentences of a training, made ready for the loss once where they come again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

import torch
from torch import Tensor

from membench.losses.divergences import FORWARD, Objective, Said, said_of

Sentence = TypeVar("Sentence", bound=Hashable)
_SHARE = 4  # of the bytes that a write may keep: the distributions take one part


class Lessons(Generic[Sentence]):
    """The teacher's final hidden states [loss tokens, width] of sentences, and the distributions that the head makes.

    A distribution has a number for every word of the vocabulary, so only those of sentences that a plan reads more than
    once are kept, as many as a share of `bytes_kept` has room for.
    """

    def __init__(
        self,
        states: Mapping[Sentence, Tensor],
        plan: Iterable[Sequence[Sentence]],
        logits: Callable[[Tensor], Tensor],
        bytes_kept: int,
        objective: Objective = FORWARD,
    ):
        self.objective = objective
        self._states = states
        self._uses = Counter(s for step in plan for s in step)
        self._logits = logits
        self._room = bytes_kept // _SHARE
        self._kept: dict[Sentence, Said] = {}

    def on(self, step: Sequence[Sentence], device: torch.device) -> Said:
        """What it says of these sentences, one behind another."""
        parts = [self._of(s, device) for s in step]
        return Said(torch.cat([part.target for part in parts]), torch.cat([part.entropy for part in parts]))

    def _of(self, sentence: Sentence, device: torch.device) -> Said:
        if sentence in self._kept:
            return self._kept[sentence]
        said = said_of(self.objective, self._states[sentence].to(device).float(), self._logits)
        if self._uses[sentence] > 1 and said.target.nbytes <= self._room:
            self._room -= said.target.nbytes
            self._kept[sentence] = said
        return said
