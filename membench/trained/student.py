"""What a trained memory reads at every step, with all that cannot change during a write computed once.

Only the upper layers are trained. The lower ones make the same of a sentence at every step, so their states are kept
(as many as the model's budgets allow). The worked examples before a sentence are those before a question, and a
question finds them read with the adapter on. So they are read without gradients, and again every STEM_STEPS steps, as
the adapter then is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from membench.reading.token_tree import Node, Tree, chunks
from membench.trained.sentences import Sentence
from membench.trained.split import Split

if TYPE_CHECKING:
    from membench.model.llm import LLM

STEM_STEPS = 4  # from one reading of the stems to the next


def first_trained(layers: int, share: float) -> int:
    """The index of the first trained layer where this share of a decoder's layers, the upper ones, is trained."""
    return layers - max(1, round(layers * share))


class Student:
    """Reads target sentences, each below its stem; gradients flow into layers `cut` and above, and into no stem."""

    def __init__(self, llm: LLM, sentences: Iterable[Sentence], cut: int):
        self._llm = llm
        self._cut = cut
        self._split = Split(llm.model, cut)
        self._steps = 0
        uses = Counter(sentences)
        # The lower layers' states [1, tokens, width] of each stem, where there are lower layers.
        self._stem_states: dict[tuple[int, ...], Tensor | None] = {s.stem: None for s in uses if s.stem}
        self._tree: Tree  # the stems', as they were read last
        self._stems: dict[tuple[int, ...], tuple[Node, Tensor]] = {}
        self._lower = Tree(llm.model)
        self._lower_stems: dict[tuple[int, ...], Node | None] = {(): None}
        self.lower: dict[Sentence, Tensor] = {}  # the lower layers' states [1, tokens, width]
        if cut:
            self._read_stems_below()
            self._keep(uses)

    @contextmanager
    def reading(self, step: Sequence[Sentence]) -> Iterator[list[Tensor]]:
        """For each sentence the hidden states [tokens, width] that predict its tokens; go backward inside.

        Where nothing precedes a sentence its first token is not predicted: the first row stands for nothing, and the
        sentence's `start` leaves it out.
        """
        if self._steps % STEM_STEPS == 0:
            self._read_stems()
        self._steps += 1
        above = [self._stems.get(s.stem) for s in step]
        with self._tree.aside(), self._split.above(self._states(step)):
            hidden = self._tree.grow([(stem and stem[0], s.tokens) for s, stem in zip(step, above, strict=True)])[1]
            yield [torch.cat([stem[1] if stem else h[:1], h[:-1]]) for h, stem in zip(hidden, above, strict=True)]

    @torch.no_grad()
    def _read_stems_below(self) -> None:
        """By the lower layers, which no step changes."""
        for stem in self._stem_states:
            with self._split.below() as top:
                self._lower_stems[stem] = self._lower.grow([(None, stem)])[0][0]
                self._stem_states[stem] = top.seen

    @torch.no_grad()
    def _read_stems(self) -> None:
        """By the upper layers as they are now, which then know what the sentences below a stem see."""
        self._tree = Tree(self._llm.model)
        for stem, states in self._stem_states.items():
            with self._split.above(states):
                nodes, hidden = self._tree.grow([(None, stem)])
            self._stems[stem] = nodes[0], hidden[0][-1:]
        self._llm.meter.add(read=self._tree.tokens_read)

    def _states(self, step: Sequence[Sentence]) -> Tensor | None:
        """What the lower layers make of these sentences, one behind another: kept, or read now."""
        if not self._cut:
            return None
        late = [s for s in dict.fromkeys(step) if s not in self.lower]
        fresh = dict(zip(late, self._lower_states(late), strict=True)) if late else {}
        return torch.cat([fresh[s] if s in fresh else self.lower[s] for s in step], dim=-2)

    @torch.no_grad()
    def _keep(self, uses: Counter[Sentence]) -> None:
        """Keep the states of as many sentences as there is room for, those first that are read most often."""
        room = self._llm.budgets.kept_bytes // (4 * self._llm.model.config.get_text_config().hidden_size)
        often = sorted(uses, key=lambda s: -uses[s])
        ends = accumulate(len(s.tokens) for s in often)
        held = {s for s, end in zip(often, ends, strict=True) if end <= room}
        chosen = [s for s in uses if s in held]
        for span in chunks([len(s.tokens) for s in chosen], self._llm.budgets.pass_tokens):
            part = [chosen[i] for i in span]
            self.lower |= zip(part, self._lower_states(part), strict=True)

    @torch.no_grad()
    def _lower_states(self, sentences: Sequence[Sentence]) -> Sequence[Tensor]:
        """States [1, tokens, width] below layer `cut` of each sentence, read in one pass."""
        with self._lower.aside(), self._split.below() as top:
            self._lower.grow([(self._lower_stems[s.stem], s.tokens) for s in sentences])
            return top.seen.split([len(s.tokens) for s in sentences], dim=-2)  # type: ignore[no-untyped-call,no-any-return]
