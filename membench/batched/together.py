"""The training loop of several contexts at once: the adapters of membench.trained.trainer, to rounding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from membench.batched.grouped_lora import GroupedLora
from membench.batched.grouped_student import GroupedStudent
from membench.losses.divergences import FORWARD, Objective
from membench.losses.lessons import Lessons
from membench.reading.token_tree import LONGEST_RUN
from membench.trained.lora import Layer, Lora, factors, wrap
from membench.trained.projections import layers_of
from membench.trained.sentences import Sentence
from membench.trained.student import first_trained
from membench.trained.trainer import mean_loss, precision, taught, train
from membench.trained.verdict import require_trainable

if TYPE_CHECKING:
    from membench.model.llm import LLM


@dataclass(frozen=True)
class Plan:
    """What one context is trained on: the sentences of each step, and the seed of its factors."""

    steps: tuple[tuple[Sentence, ...], ...]
    seed: int


def train_together(
    llm: LLM, plans: Sequence[Plan], loss: str, lora: Lora, objective: Objective = FORWARD
) -> list[Layer]:
    """For each plan the adapter that `train` makes of it alone, with its seed in place of the one in `lora`.

    Each has its own factors, optimiser state, schedule and teacher; a step reads the sentences of all. What cannot
    be shared is trained one by one: dropout, samples of the student's own, models that are read sentence by sentence,
    and sentences longer than one pass. Raises MembenchError for a model that cannot be trained.
    """
    way = require_trainable(llm, lora.upper).way
    every = [s for plan in plans for step in plan.steps for s in step]
    longest = max((max(len(s.stem), len(s.tokens)) for s in every), default=0)
    if len(plans) < 2 or lora.dropout or objective.on_policy or way == "whole" or longest > LONGEST_RUN:
        return [train(llm, plan.steps, loss, replace(lora, seed=plan.seed), objective)[0] for plan in plans]
    teachers = [taught(llm, [s for step in plan.steps for s in step], lora) if loss == "kl" else {} for plan in plans]
    cut = first_trained(len(layers_of(llm.model)[1]), lora.upper)
    grouped = GroupedLora(llm.model, [_begun(llm, replace(lora, seed=plan.seed), cut) for plan in plans], lora.scale)
    autocast = precision(llm, lora.precision, by_teacher=loss == "kl")
    bases = [module.base for module in grouped.modules.values()] if isinstance(autocast, torch.autocast) else []
    whole = [base.weight.data for base in bases]
    try:
        for base in bases:  # cast once, not at every step
            base.weight.data = base.weight.data.bfloat16()
        with grouped.worn():
            with autocast:
                student = GroupedStudent(llm, every, cut if way == "split" else 0, grouped)
            _descend(llm, plans, student, grouped, teachers, lora, objective)
        return [grouped.factors(k) for k in range(len(plans))]
    finally:
        for base, data in zip(bases, whole, strict=True):
            base.weight.data = data


def _begun(llm: LLM, lora: Lora, cut: int) -> Layer:
    """The factors that a training with this seed begins with."""
    wrapped = wrap(llm, lora, cut)
    try:
        return factors(wrapped)
    finally:
        wrapped.unload()
        llm.model.eval().requires_grad_(False)


def _descend(
    llm: LLM,
    plans: Sequence[Plan],
    student: GroupedStudent,
    grouped: GroupedLora,
    teachers: Sequence[Mapping[Sentence, Tensor]],
    lora: Lora,
    objective: Objective,
) -> None:
    """A step of all that have one left; the loss is the sum of theirs, whose gradients do not meet."""
    autocast = precision(llm, lora.precision, by_teacher=any(teachers))
    groups = [{"params": grouped.parameters_of(k), "lr": lora.lr} for k in range(len(plans))]
    optimiser = torch.optim.AdamW(groups, fused=True)
    room = llm.budgets.kept_bytes // len(plans)
    lessons = [
        Lessons(said, plan.steps, llm.logits, room, objective) if said else None
        for said, plan in zip(teachers, plans, strict=True)
    ]
    for i in range(max(len(plan.steps) for plan in plans)):
        steps = {k: plan.steps[i] for k, plan in enumerate(plans) if i < len(plan.steps)}
        for k in steps:
            optimiser.param_groups[k]["lr"] = lora.lr * (1 - i / len(plans[k].steps))
        with autocast, student.together(steps) as hidden:
            losses = [mean_loss(llm, step, hidden[k], lessons[k]) for k, step in steps.items()]
            torch.stack(losses).sum().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        llm.meter.add(trained=sum(len(s.tokens) for step in steps.values() for s in step))
