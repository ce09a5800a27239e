"""What a trained memory reads at every step, with all that cannot change during a write computed once.

Only the upper layers are trained. The lower ones make the same of a sentence at every step, so their states are kept;
and the worked example before a sentence is read once, without gradients, as it is when a question is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from membench.sentences import Sentence
from membench.tree import Node, Tree, chunks

if TYPE_CHECKING:
    from membench.llm import LLM

PASS_TOKENS = 512


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
        distinct = list(dict.fromkeys(sentences))
        stems = list(dict.fromkeys(s.stem for s in distinct if s.stem))
        self._runs: dict[Any, Sequence[int]] = {stem: stem for stem in stems} | {s: s.tokens for s in distinct}
        self._tree = Tree(llm.model, states=self._lower_states(llm.model, stems, distinct) if cut else None)
        self._stems: dict[tuple[int, ...], tuple[Node, Tensor]] = {}
        with torch.no_grad(), self._only(range(cut, len(self._decoder.layers))):
            for stem in stems:
                nodes, hidden = self._tree.grow([(None, self._runs[stem])])
                self._stems[stem] = nodes[0], hidden[0][-1:]

    @contextmanager
    def reading(self, step: Sequence[Sentence]) -> Iterator[list[Tensor]]:
        """For each sentence the hidden states [tokens, width] that predict its tokens; go backward inside.

        Where nothing precedes a sentence its first token is not predicted: the first row stands for nothing, and the
        sentence's `start` leaves it out.
        """
        above = [self._stems.get(s.stem) for s in step]
        with self._tree.aside(), self._only(range(self._cut, len(self._decoder.layers))):
            runs = [(stem and stem[0], self._runs[s]) for s, stem in zip(step, above, strict=True)]
            hidden = self._tree.grow(runs)[1]
            yield [torch.cat([stem[1] if stem else h[:1], h[:-1]]) for h, stem in zip(hidden, above, strict=True)]

    @torch.no_grad()
    def _lower_states(self, model: nn.Module, stems: Sequence[tuple[int, ...]], distinct: Sequence[Sentence]) -> Tensor:
        """States [rows, width] below layer `cut` of all stems and sentences; `_runs` then holds their rows."""
        tree = Tree(model)
        rows: list[Tensor] = []
        with self._only(range(self._cut), norm=False):
            nodes: dict[tuple[int, ...], Node | None] = {(): None}
            for stem in stems:
                grown, hidden = tree.grow([(None, stem)])
                nodes[stem] = grown[0]
                rows.append(hidden[0])
            for span in chunks([len(s.tokens) for s in distinct], PASS_TOKENS):
                with tree.aside():
                    rows += tree.grow([(nodes[distinct[i].stem], distinct[i].tokens) for i in span])[1]
        start = 0
        for key, part in zip([*stems, *distinct], rows, strict=True):
            self._runs[key] = range(start, start + len(part))
            start += len(part)
        return torch.cat(rows) if rows else torch.empty(0, 0)

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
