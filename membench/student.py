"""What a trained memory reads at every step, with all that cannot change during a write computed once.

Only the upper layers are trained. The lower ones make the same of a sentence at every step, so their states are kept
(up to KEPT_BYTES); and the worked example before a sentence is read once, without gradients, as it is when a question
is asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from membench.sentences import Sentence
from membench.tree import PASS_TOKENS, Node, Tree, chunks

if TYPE_CHECKING:
    from membench.llm import LLM

KEPT_BYTES = 2**30  # of states that a write keeps; a thousand contexts have more


def first_trained(layers: int, share: float) -> int:
    """The index of the first trained layer where this share of a decoder's layers, the upper ones, is trained."""
    return layers - max(1, round(layers * share))


class _Passed(nn.Module):
    """Stands in place of a layer that is not wanted."""

    def forward(self, hidden: Tensor, *_: Any, **__: Any) -> Tensor:
        """What came in."""
        return hidden


class Student:
    """Reads target sentences, each below its stem; gradients flow into layers `cut` and above, and into no stem."""

    def __init__(self, llm: LLM, sentences: Iterable[Sentence], cut: int):
        self._decoder = llm.model.get_decoder()
        self._cut = cut
        uses = Counter(sentences)
        stems = list(dict.fromkeys(s.stem for s in uses if s.stem))
        self._tree = Tree(llm.model)
        self._stems: dict[tuple[int, ...], tuple[Node, Tensor]] = {}
        self._lower = Tree(llm.model)
        self._lower_stems: dict[tuple[int, ...], Node | None] = {(): None}
        self.kept: dict[Sentence, Tensor] = {}  # the lower layers' states [tokens, width]
        with torch.no_grad():
            for stem in stems:
                self._read_stem(stem)
            if cut:
                self._keep(uses)

    @contextmanager
    def reading(self, step: Sequence[Sentence]) -> Iterator[list[Tensor]]:
        """For each sentence the hidden states [tokens, width] that predict its tokens; go backward inside.

        Where nothing precedes a sentence its first token is not predicted: the first row stands for nothing, and the
        sentence's `start` leaves it out.
        """
        above = [self._stems.get(s.stem) for s in step]
        runs = self._runs(step)
        with self._tree.aside(), self._only(range(self._cut, len(self._decoder.layers))):
            nodes = [stem and stem[0] for stem in above]
            hidden = self._tree.grow(list(zip(nodes, runs, strict=True)))[1]
            yield [torch.cat([stem[1] if stem else h[:1], h[:-1]]) for h, stem in zip(hidden, above, strict=True)]

    def _read_stem(self, stem: tuple[int, ...]) -> None:
        """By the lower layers and by the upper ones, which then know what the sentences below it see."""
        run: Sequence[int] = stem
        if self._cut:
            with self._only(range(self._cut), norm=False):
                below, states = self._lower.grow([(None, stem)])
            self._lower_stems[stem], self._tree.states, run = below[0], states[0], range(len(stem))
        with self._only(range(self._cut, len(self._decoder.layers))):
            nodes, hidden = self._tree.grow([(None, run)])
        self._stems[stem] = nodes[0], hidden[0][-1:]

    def _runs(self, step: Sequence[Sentence]) -> list[Sequence[int]]:
        """What the upper layers read: tokens, or the rows of `_tree.states` that these sentences then have."""
        if not self._cut:
            return [s.tokens for s in step]
        late = [s for s in dict.fromkeys(step) if s not in self.kept]
        fresh = dict(zip(late, self._lower_states(late), strict=True)) if late else {}
        self._tree.states = torch.cat([fresh[s] if s in fresh else self.kept[s] for s in step])
        ends = list(accumulate(len(s.tokens) for s in step))
        return [range(end - len(s.tokens), end) for s, end in zip(step, ends, strict=True)]

    def _keep(self, uses: Counter[Sentence]) -> None:
        """Keep the states of as many sentences as there is room for, those first that are read most often."""
        room = KEPT_BYTES // (4 * self._decoder.config.hidden_size)
        often = sorted(uses, key=lambda s: -uses[s])
        ends = accumulate(len(s.tokens) for s in often)
        held = {s for s, end in zip(often, ends, strict=True) if end <= room}
        chosen = [s for s in uses if s in held]
        for span in chunks([len(s.tokens) for s in chosen], PASS_TOKENS):
            part = [chosen[i] for i in span]
            self.kept |= zip(part, self._lower_states(part), strict=True)

    @torch.no_grad()
    def _lower_states(self, sentences: Sequence[Sentence]) -> list[Tensor]:
        """States [tokens, width] below layer `cut` of each sentence, read in one pass."""
        with self._lower.aside(), self._only(range(self._cut), norm=False):
            return self._lower.grow([(self._lower_stems[s.stem], s.tokens) for s in sentences])[1]

    @contextmanager
    def _only(self, wanted: range, norm: bool = True) -> Iterator[None]:
        """The decoder with these layers alone, at their own places."""
        layers, last = self._decoder.layers, self._decoder.norm
        if len(wanted) < len(layers):
            chosen = (layer if i in wanted else _Passed() for i, layer in enumerate(layers))
            self._decoder.layers = nn.ModuleList(chosen)
        self._decoder.norm = last if norm else nn.Identity()
        try:
            yield
        finally:
            self._decoder.layers, self._decoder.norm = layers, last
