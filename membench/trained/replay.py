"""Rehearsal: sentences of earlier writes are kept and mixed into later ones, which would else overrule them.

Experience replay is the plainest remedy against forgetting in sequence; it is no part of SELF-PARAM as published. The
other one is to hold on to what the memory says of them just before a write (Li and Hoiem 2016, learning without
forgetting). What is kept is counted: a deployment would have to keep it beside the merged weights.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from membench.text.digest import digest
from membench.trained.sentences import Sentence, quota
from membench.values import Adapter


@dataclass(frozen=True)
class ReplayedSentence:
    """A sentence of an earlier write: its tokens [n] (int32), where its loss starts, what the teacher said of it.

    `hidden` is [n - start, width], the teacher's final hidden states in float16; [0, 0] where nothing asks for them.
    """

    tokens: Tensor
    start: int
    hidden: Tensor


@dataclass(frozen=True)
class KnownSentence(ReplayedSentence):
    """With a digest of what the teacher read before it, by which it is known of which text it is."""

    given: str


@dataclass(frozen=True)
class Rehearsed(Adapter):
    """An adapter with the sentences that are rehearsed at later writes."""

    kept: tuple[ReplayedSentence, ...]


def recollect(memory: Adapter | None, stem: tuple[int, ...]) -> dict[Sentence, Tensor]:
    """The kept sentences, below this stem, with what the teacher said of each."""
    kept = memory.kept if isinstance(memory, Rehearsed) else ()
    return {Sentence("replay", stem, (), tuple(k.tokens.tolist()), k.start): k.hidden.float() for k in kept}


def asked_before(memory: Adapter | None, stem: tuple[int, ...]) -> list[Sentence]:
    """The kept sentences as a teacher reads them that wears the memory: below this stem, and no context."""
    kept = memory.kept if isinstance(memory, Rehearsed) else ()
    return [Sentence("held", stem, (stem,), tuple(k.tokens.tolist()), k.start) for k in kept]


def mix_in(
    steps: Iterable[Sequence[Sentence]], old: Sequence[Sentence], ratio: float, rng: random.Random
) -> list[list[Sentence]]:
    """The steps with `ratio` old sentences for each pair in them, drawn at random."""
    due = 0.0
    out = []
    for step in steps:
        count, due = quota(ratio, sum(s.kind == "qa" for s in step), due)
        out.append([*step, *(rng.choice(old) for _ in range(count if old else 0))])
    return out


def keep(adapter: Adapter, memory: Adapter | None, said: Mapping[Sentence, Tensor], new: Iterable[Sentence]) -> Adapter:
    """The adapter with the sentences kept before and the new pairs."""
    before = memory.kept if isinstance(memory, Rehearsed) else ()
    pairs = dict.fromkeys(s for s in new if s.kind == "qa")
    none = torch.zeros(0, 0, dtype=torch.float16)
    fresh = (
        KnownSentence(torch.tensor(s.tokens, dtype=torch.int32), s.start, _half(said.get(s, none)), _given(s))
        for s in pairs
    )
    return Rehearsed(adapter.layers, adapter.scale, (*before, *fresh))


def without(memory: Adapter, steps: Iterable[Sequence[Sentence]]) -> Adapter:
    """The memory without the sentences that it keeps of the texts of these steps."""
    if not isinstance(memory, Rehearsed):
        return memory
    gone = {_given(s) for step in steps for s in step if s.kind == "qa"}
    return replace(memory, kept=tuple(k for k in memory.kept if not (isinstance(k, KnownSentence) and k.given in gone)))


def _given(s: Sentence) -> str:
    return digest(repr(s.given))


def _half(hidden: Tensor) -> Tensor:
    return hidden.detach().cpu().half()
