"""The student of several contexts at once: each reads its own sentences below its own reading of the stems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from membench.batched.grouped_lora import GroupedLora
from membench.reading.token_tree import Node, Tree
from membench.trained.sentences import Sentence
from membench.trained.student import STEM_STEPS, Student

if TYPE_CHECKING:
    from membench.model.llm import LLM


class GroupedStudent(Student):
    """Reads as membench.trained.student.Student does, for several contexts in one pass.

    What lies below layer `cut` is the same for all of them, and is read once.
    """

    def __init__(self, llm: LLM, sentences: Iterable[Sentence], cut: int, lora: GroupedLora):
        super().__init__(llm, sentences, cut)
        self._lora = lora
        self._own_stems: dict[tuple[int, tuple[int, ...]], tuple[Node, Tensor]] = {}  # by context and stem

    @contextmanager
    def together(self, steps: Mapping[int, Sequence[Sentence]]) -> Iterator[dict[int, list[Tensor]]]:
        """By context, for each sentence of its step the hidden states that predict its tokens; go backward inside."""
        if self._steps % STEM_STEPS == 0:
            self._read_stems_of(list(steps))
        self._steps += 1
        flat = [(context, s) for context, step in steps.items() for s in step]
        above = [self._own_stems.get((context, s.stem)) for context, s in flat]
        runs = [(context, len(s.tokens)) for context, s in flat]
        states = self._states([s for _, s in flat])
        with self._tree.aside(), self._split.above(states), self._lora.reading(runs, self._llm.device):
            grown = [(stem and stem[0], s.tokens) for (_, s), stem in zip(flat, above, strict=True)]
            hidden = self._tree.grow(grown)[1]
            out: dict[int, list[Tensor]] = {context: [] for context in steps}
            for (context, _), h, stem in zip(flat, hidden, above, strict=True):
                out[context].append(torch.cat([stem[1] if stem else h[:1], h[:-1]]))
            yield out

    @torch.no_grad()
    def _read_stems_of(self, contexts: Sequence[int]) -> None:
        """By the upper layers as each context's adapter makes them now."""
        self._tree = Tree(self._llm.model)
        self._own_stems.clear()
        for stem, below in self._stem_states.items():
            for context in contexts:  # one a pass: a stem is long, and would look at all the others in vain
                runs = [(context, len(stem))]
                with self._split.above(below), self._lora.reading(runs, self._llm.device):
                    nodes, hidden = self._tree.grow([(None, stem)])
                self._own_stems[context, stem] = nodes[0], hidden[0][-1:]
        self._llm.meter.add(read=self._tree.tokens_read)
