"""Cartridges: a text's keys and values, trained until the model answers with them as with the text in its prompt.

The objective is SELF-PARAM's and so are the target sentences; what is trained is a short prefix and no weight
(after Cartridges, Eyuboglu et al., 2025: context distillation into a key-value cache that starts as the text's own).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from membench.keyvalues.pool import Sink
from membench.losses.lessons import Lessons
from membench.reading.key_values import project
from membench.trained.method import OnTargets
from membench.trained.sentences import Sentence, learnable
from membench.trained.teacher import teach
from membench.trained.trainer import mean_loss, precision
from membench.values import Prefix

if TYPE_CHECKING:
    from membench.model.llm import LLM


@dataclass(frozen=True)
class Cartridge:
    """What a text became: its prefix, and a digest of the text, to find it again."""

    text: str
    prefix: Prefix


@dataclass(frozen=True)
class CartridgeSentences(OnTargets):
    """The target sentences of SELF-PARAM, for another container than the weights."""

    @property
    def loss(self) -> str:
        """The teacher's distribution."""
        return "kl"


@torch.no_grad()
def own_prefix(llm: LLM, text: str, tokens: int) -> Prefix:
    """The first keys and values of a text as it stands in a prompt, behind the worked examples."""
    sink = Sink(llm)
    ids = llm.segment_ids([text], "")[1]
    states = sink.states_of(ids[:tokens], None, "input")
    llm.meter.add(read=sink.tree.tokens_read)
    return project(sink.tree.decoder, list(states))


def distil(
    llm: LLM,
    steps: Sequence[Sequence[Sentence]],
    start: Prefix,
    lr: float,
    named_precision: str = "auto",
    on_step: Callable[[int, float], None] | None = None,
) -> Prefix:
    """The prefix trained on these sentences by AdamW, its rate falling linearly from `lr` to 0; float32, on the CPU.

    The student reads every sentence behind the worked examples and the prefix, exactly as questions will be read. A
    prefix has no hidden state to predict a sentence's first token from, so that one carries no loss.
    """
    plan = learnable([replace(s, start=max(1, s.start)) for s in step] for step in steps)
    leaves = [part.detach().float().clone().requires_grad_() for part in (*start.keys, *start.values)]
    prefix = Prefix(tuple(leaves[: len(start.keys)]), tuple(leaves[len(start.keys) :]))
    optimiser = torch.optim.AdamW(leaves, lr=lr, weight_decay=0.0)  # towards what it starts as, not towards nothing
    autocast = precision(llm, named_precision, by_teacher=True)
    with autocast:
        lessons = Lessons(teach(llm, [s for step in plan for s in step]), plan, llm.logits, llm.budgets.kept_bytes)
        sink = Sink(llm)
    llm.meter.add(read=sink.tree.tokens_read)
    for i, step in enumerate(plan):
        optimiser.param_groups[0]["lr"] = lr * (1 - i / len(plan))
        with autocast, sink.tree.aside():
            value = mean_loss(llm, step, _read(sink, prefix, step), lessons)
            value.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        llm.meter.add(trained=sum(len(s.tokens) for s in step))
        if on_step:
            on_step(i, value.item())
    return Prefix(tuple(k.detach().cpu() for k in prefix.keys), tuple(v.detach().cpu() for v in prefix.values))


def _read(sink: Sink, prefix: Prefix, step: Sequence[Sentence]) -> list[Tensor]:
    """For each sentence the hidden states that predict its tokens; the first row stands for nothing."""
    node = sink.tree.insert_prefix(sink.node, prefix)
    hidden = sink.tree.grow([(node, s.tokens) for s in step])[1]
    return [torch.cat([h[:1], h[:-1]]) for h in hidden]
