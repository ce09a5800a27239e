"""Training on the student's own answers: sampled by the student as it is, judged by the teacher (on-policy).

After on-policy distillation (Agarwal et al., ICLR 2024) with a teacher that has the context in its prompt. Samples are
drawn anew every SAMPLE_STEPS steps, for the pairs of these steps together; no gradient flows through the drawing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from peft import PeftModel
from torch import Tensor

from membench.model.decoding import end_ids
from membench.trained.sentences import Sentence
from membench.values import Adapter, Recall

if TYPE_CHECKING:
    from membench.model.llm import LLM

SAMPLE_STEPS = 4  # from one drawing to the next

Taught = Callable[[Sequence[Sentence]], Mapping[Sentence, Tensor]]


class OwnSamples:
    """Draws answers from the student, and asks the teacher about them; `seed` decides what is drawn."""

    def __init__(self, llm: LLM, taught: Taught, teacher: Callable[[], AbstractContextManager[None]], seed: int):
        self._llm = llm
        self._taught = taught  # what the model as it then is says of sentences
        self._teacher = teacher  # within, the model is the teacher
        self._generator = torch.Generator().manual_seed(seed)

    def drawn(self, steps: Sequence[Sequence[Sentence]]) -> tuple[list[list[Sentence]], Mapping[Sentence, Tensor]]:
        """The steps with the student's own answers to their pairs, and what the teacher says of these."""
        pairs = list(dict.fromkeys(s for step in steps for s in step if s.kind == "qa"))
        own = dict(zip(pairs, self._answered(pairs), strict=True))
        with self._teacher():
            said = self._taught(list(own.values()))
        return [[own.get(s, s) for s in step] for step in steps], said

    def _answered(self, pairs: Sequence[Sentence]) -> Iterator[Sentence]:
        """Each pair up to its answer, and behind that a sampled one."""
        for stem in dict.fromkeys(s.stem for s in pairs):
            asks = {s: s.tokens[: s.start] for s in pairs if s.stem == stem}
            answers = sampled(self._llm, stem, list(asks.values()), self._generator)
            for (s, ask), answer in zip(asks.items(), answers, strict=True):
                yield replace(s, tokens=(*ask, *answer))


@torch.no_grad()
def sampled(
    llm: LLM, stem: Sequence[int], asks: Sequence[Sequence[int]], generator: torch.Generator
) -> list[tuple[int, ...]]:
    """An answer to each, drawn token by token from the model as it is (temperature 1), to the end of a line."""
    tree = llm.tree(Recall())
    above = tree.grow([(None, stem)])[0][0] if stem else None
    nodes, hidden = tree.grow([(above, ask) for ask in asks])
    last = [h[-1] for h in hidden]
    found: list[list[int]] = [[] for _ in asks]
    ends, going = end_ids(llm), list(range(len(asks)))
    for _ in range(llm.max_new_tokens):
        shares = llm.logits(torch.stack([last[i] for i in going])).softmax(-1).cpu()
        for i, token in zip(going, torch.multinomial(shares, 1, generator=generator)[:, 0].tolist(), strict=True):
            found[i].append(token)
        going = [i for i in going if found[i][-1] not in ends and "\n" not in llm.decode(found[i])]
        if not going:
            break
        grown = tree.grow([(nodes[i], found[i][-1:]) for i in going], extend=True)
        for i, node, state in zip(going, *grown, strict=True):
            nodes[i], last[i] = node, state[-1]
    generated = sum(map(len, found))
    llm.meter.add(read=max(0, tree.tokens_read - generated), generated=generated)
    return [tuple(ids) for ids in found]


@contextmanager
def as_teacher(llm: LLM, wrapped: PeftModel, below: Adapter | None) -> Iterator[None]:
    """The model that is being trained, without the adapter in training and without `below`, which it wears."""
    with wrapped.disable_adapter(), llm.bare_of(below):
        yield
