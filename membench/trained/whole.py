"""Reading target sentences one by one, each from its beginning, by the model's own forward pass and no other means.

The slow way: for models whose texts cannot be read in branches, or whose lower layers cannot be run alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from membench.reading.slow_tree import before_head
from membench.trained.sentences import Sentence

if TYPE_CHECKING:
    from membench.model.llm import LLM


def predicting(llm: LLM, before: Sequence[int], tokens: Sequence[int]) -> Tensor:
    """The final hidden states [tokens, width] that predict these tokens behind what stands before them.

    Where nothing stands before, the first token is not predicted, and the first row stands for nothing.
    """
    hidden = before_head(llm.model, [*before, *tokens])
    return hidden[len(before) - 1 : -1] if before else torch.cat([hidden[:1], hidden[:-1]])


class WholeStudent:
    """Reads as membench.trained.student.Student does, but every sentence from its stem's first token on.

    The losses are the same. Gradients flow through the stem as well, as it is read with each sentence.
    """

    def __init__(self, llm: LLM):
        self._llm = llm

    @contextmanager
    def reading(self, step: Sequence[Sentence]) -> Iterator[list[Tensor]]:
        """For each sentence the hidden states [tokens, width] that predict its tokens; go backward inside."""
        self._llm.meter.add(read=sum(len(s.stem) for s in step))
        yield [predicting(self._llm, s.stem, s.tokens) for s in step]


@torch.no_grad()
def teach_whole(llm: LLM, sentences: Sequence[Sentence]) -> dict[Sentence, Tensor]:
    """The teacher's final hidden states [loss tokens, width] of each distinct sentence, in float32."""
    out: dict[Sentence, Tensor] = {}
    with llm.meter.role("teacher"):
        for s in dict.fromkeys(sentences):
            before = [token for part in s.given for token in part]
            out[s] = predicting(llm, before, s.tokens)[s.start :].float()
            llm.meter.add(read=len(before) + len(s.tokens))
    return out
