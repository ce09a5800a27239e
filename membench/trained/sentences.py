"""Target sentences: what a trained memory is trained on. One stream for all trained methods, byte for byte.

Three kinds, after SELF-PARAM's released training code: question-answer pairs about the context, suffixes of the
context, and generic text (Wang et al., ICLR 2025, section 3: QA, context-suffix and general terms).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from membench.errors import MembenchError

if TYPE_CHECKING:
    from torch import Tensor

    from membench.model.decoding import Reading
    from membench.model.llm import LLM

GENERIC_TOKENS = 64  # of each generic text; the published code reads 256


@dataclass(frozen=True)
class Sentence:
    """A target sentence as tokens, for the student and for the teacher.

    The student reads `stem + tokens`, the teacher `given + tokens`; both beginnings are shared by many sentences.
    The loss is on `tokens[start:]`.
    """

    kind: str  # "qa", "suffix", "generic" or "context"
    stem: tuple[int, ...]
    given: tuple[tuple[int, ...], ...]
    tokens: tuple[int, ...]
    start: int = 0


@dataclass(frozen=True)
class Material:
    """What one context contributes: its text, the pairs written about it, and the readings their answers are from."""

    text: str
    pairs: tuple[tuple[str, str], ...]
    readings: tuple[Reading, ...] = ()


def student_stem(llm: LLM) -> tuple[int, ...]:
    """What stands before a trained pair: the worked examples, as before a question."""
    return tuple(llm.segment_ids([], "")[0])


def qa_sentences(llm: LLM, material: Material, loss_on: str) -> list[Sentence]:
    """The pairs in the very form in which questions are asked: worked examples, question, answer, end of line."""
    out = []
    stem = student_stem(llm)
    given: tuple[tuple[int, ...], ...] = ()
    for question, answer in material.pairs:
        *before, ask = llm.segment_ids([material.text], question)
        given = given or tuple(map(tuple, before))  # the same for all pairs, and held once
        start = len(ask) if loss_on == "answer" else 0
        reply = llm.ids(llm.renderer.answer(answer))
        out.append(Sentence("qa", stem, given, (*ask, *reply), start))
    return out


def said_already(pairs: Sequence[Sentence], readings: Sequence[Reading]) -> dict[Sentence, Tensor]:
    """The hidden states [loss tokens, width] with which a teacher read its own answers, where these are the pairs'."""
    out = {}
    for s, reading in zip(pairs, readings, strict=True):
        reply = s.tokens[s.start :]
        if len(reply) <= len(reading.hidden) and reply[:-1] == reading.ids[: len(reply) - 1]:
            out[s] = reading.hidden[: len(reply)]
    return out


def suffix_sentence(llm: LLM, material: Material, rng: random.Random) -> Sentence:
    """The context cut in two at a random token; the student sees the second part alone."""
    ids = llm.ids(material.text)
    cut = rng.randint(1, max(1, len(ids) - 2))
    return Sentence("suffix", llm.bos, (llm.bos, tuple(ids[:cut])), tuple(ids[cut:]), 0 if llm.bos else 1)


def generic_sentence(llm: LLM, text: str, given: str) -> Sentence:
    """Generic text; the teacher reads it after `given` (the context as in the released code, or nothing)."""
    before = tuple(llm.ids(f"{given}\n")) if given else ()
    return Sentence("generic", llm.bos, (llm.bos, before), tuple(llm.ids(text)[:GENERIC_TOKENS]), 0 if llm.bos else 1)


def context_sentence(llm: LLM, material: Material) -> Sentence:
    """The context itself, for FT(C)."""
    return Sentence("context", llm.bos, (), tuple(llm.ids(material.text)), 0 if llm.bos else 1)


def untaught(steps: Iterable[Sequence[Sentence]]) -> list[list[Sentence]]:
    """The steps with a teacher that reads of each sentence what the student reads: no context, nothing before it."""
    return [[_bare(s) for s in step] for step in steps]


def _bare(s: Sentence) -> Sentence:
    kind = "generic" if s.kind == "suffix" else s.kind  # no suffix to a teacher that sees no beginning
    return replace(s, kind=kind, given=(s.stem,))


def batches(count: int, batch_size: int, epochs: int, rng: random.Random) -> Iterator[list[int]]:
    """Indices of the sentences of each step: every epoch in a new order, breadth first over all contexts."""
    for _ in range(epochs):
        order = list(range(count))
        rng.shuffle(order)
        for start in range(0, count, batch_size):
            yield order[start : start + batch_size]


def learnable(steps: Iterable[Sequence[Sentence]]) -> list[list[Sentence]]:
    """The steps without the sentences that have no token to learn, such as the suffix of a text of one token.

    Raises MembenchError if there were sentences and none is left.
    """
    plan = list(steps)
    kept = [[s for s in step if len(s.tokens) > s.start] for step in plan]
    if any(plan) and not any(kept):
        raise MembenchError("nothing to train on: the texts are too short")
    return [step for step in kept if step]


def quota(ratio: float, share: int, carry: float) -> tuple[int, float]:
    """How many side sentences go with `share` QA sentences at this ratio, and what is carried to the next step."""
    due = carry + ratio * share
    return int(due), due - int(due)
