"""The one training loop that FT(C), FT(S) and SELF-PARAM share: LoRA on target sentences, hard labels or a teacher.

SELF-PARAM (Wang et al., ICLR 2025) minimises KL(P(s | context) ‖ P'(s)) over target sentences s. The teacher is the
model that is handed in, with the context in its prompt. It is frozen, so it reads each sentence once: its final hidden
states are kept, and the frozen output head makes the exact logits from them at every step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_args

import torch
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from torch import Tensor
from torch.nn import functional as F

from membench.errors import MembenchError
from membench.losses.divergences import FORWARD, Objective, of_tokens
from membench.losses.lessons import Lessons
from membench.trained.lora import Complement, Layer, Lora, factors, wrap
from membench.trained.own_samples import SAMPLE_STEPS, OwnSamples, as_teacher
from membench.trained.projections import layers_of
from membench.trained.sentences import Sentence
from membench.trained.student import Student, first_trained
from membench.trained.teacher import teach
from membench.trained.verdict import require_trainable, student_of
from membench.trained.whole import WholeStudent, teach_whole

if TYPE_CHECKING:
    from membench.model.llm import LLM
    from membench.values import Adapter

Precision = Literal["auto", "float32", "bfloat16"]


def train(
    llm: LLM,
    steps: Iterable[Sequence[Sentence]],
    loss: str,
    lora: Lora,
    objective: Objective = FORWARD,
    on_step: Callable[[int, float, PeftModel], None] | None = None,
    below: Adapter | None = None,
    known: Mapping[Sentence, Tensor] | None = None,
    apart_from: Adapter | None = None,
) -> tuple[Layer, Mapping[Sentence, Tensor]]:
    """Train a fresh adapter on top of `below` and the weights that the model wears.

    Returns its factors by module name, and what the teacher said of each sentence (see `teach`; nothing for "ce"). The
    teacher is the model as it is handed in, without `below`; `known` is what it has said before of some sentences. The
    adapter reads no input that those of `apart_from` read (membench.trained.lora.Complement).
    Raises MembenchError for a model that cannot be trained (membench.trained.verdict).

    `loss` is "ce" (next-token cross-entropy) or "kl" (to the teacher, as `objective` says). A step's loss is the mean
    over its sentences of the mean over their tokens.
    """
    way = require_trainable(llm, lora.upper).way
    plan = [list(step) for step in steps]
    teacher: dict[Sentence, Tensor] = {}
    if loss == "kl":
        teacher |= known or {}
        # On-policy, what is learned of a pair is another answer, which is not drawn yet.
        learned = [s for step in plan for s in step if not (objective.on_policy and s.kind == "qa")]
        teacher |= taught(llm, [s for s in learned if s not in teacher], lora)
    with llm.wearing(below):
        return _fit(llm, plan, teacher, lora, way, objective, on_step, below, apart_from), teacher


def taught(llm: LLM, sentences: Sequence[Sentence], lora: Lora) -> dict[Sentence, Tensor]:
    """What the model as it is says of each sentence (see `teach`), in the precision of the training."""
    if not sentences:
        return {}
    said = teach_whole if require_trainable(llm, lora.upper).way == "whole" else teach
    with precision(llm, lora.precision, by_teacher=True):
        return said(llm, sentences)


def _fit(
    llm: LLM,
    plan: Sequence[Sequence[Sentence]],
    teacher: Mapping[Sentence, Tensor],
    lora: Lora,
    way: str,
    objective: Objective,
    on_step: Callable[[int, float, PeftModel], None] | None,
    below: Adapter | None = None,
    apart_from: Adapter | None = None,
) -> Layer:
    """The optimiser's steps; the model comes back as it was."""
    cut = first_trained(len(layers_of(llm.model)[1]), lora.upper)
    wrapped = wrap(llm, lora, cut)
    frozen: list[tuple[Tensor, Tensor]] = []
    try:
        apart = Complement(wrapped, apart_from) if apart_from else None
        autocast = precision(llm, lora.precision, by_teacher=bool(teacher) or objective.on_policy)
        frozen += _halve(wrapped) if isinstance(autocast, torch.autocast) else []
        with autocast:
            student = student_of(llm, [s for step in plan for s in step], cut, way)
        own = None
        if objective.on_policy:
            own = OwnSamples(llm, partial(taught, llm, lora=lora), partial(as_teacher, llm, wrapped, below), lora.seed)
        with _dropping_out(llm, wrapped, lora):
            _descend(llm, plan, student, wrapped, teacher, lora, objective, on_step, own, apart)
        return factors(wrapped)
    finally:
        for parameter, whole in frozen:
            parameter.data = whole
        wrapped.unload()
        llm.model.eval().requires_grad_(False)


def _descend(
    llm: LLM,
    plan: Sequence[Sequence[Sentence]],
    student: Student | WholeStudent,
    wrapped: PeftModel,
    teacher: Mapping[Sentence, Tensor],
    lora: Lora,
    objective: Objective,
    on_step: Callable[[int, float, PeftModel], None] | None,
    own: OwnSamples | None = None,
    apart: Complement | None = None,
) -> None:
    autocast = precision(llm, lora.precision, by_teacher=bool(teacher) or own is not None)
    optimiser = torch.optim.AdamW([p for p in wrapped.parameters() if p.requires_grad], lr=lora.lr, fused=True)
    plan, room = list(plan), llm.budgets.kept_bytes
    lessons = Lessons(teacher, plan, llm.logits, room, objective) if teacher else None
    if apart:
        apart.project()
    for i in range(len(plan)):
        if own and i % SAMPLE_STEPS == 0:
            with autocast:
                drawn, said = own.drawn(plan[i : i + SAMPLE_STEPS])
            plan[i : i + SAMPLE_STEPS] = drawn
            lessons = Lessons({**teacher, **said}, drawn, llm.logits, room, objective)
        step = plan[i]
        optimiser.param_groups[0]["lr"] = lora.lr * (1 - i / len(plan))
        with autocast, student.reading(step) as hidden:
            value = mean_loss(llm, step, hidden, lessons)
            value.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if apart:
            apart.project()
        optimiser.zero_grad(set_to_none=True)
        llm.meter.add(trained=sum(len(s.tokens) for s in step))
        if on_step:
            on_step(i, value.item(), wrapped)


def precision(llm: LLM, name: str, by_teacher: bool) -> AbstractContextManager[Any]:
    """Mixed precision for training: bfloat16 where the weights are halves (`auto`), or as named.

    Never by what a processor is good at, so that a cell is the same on all of them. Always where a teacher's states are
    learned from and the weights are halves: a teacher's states are kept in float32, and both meet in the output head.
    """
    if name not in get_args(Precision):
        raise MembenchError(f"unknown precision {name!r}: choose from {', '.join(get_args(Precision))}")
    halves = llm.model.dtype in (torch.bfloat16, torch.float16)
    if name == "bfloat16" or (halves and (by_teacher or name == "auto")):
        return torch.autocast(llm.device.type, dtype=torch.bfloat16)
    return nullcontext()


@contextmanager
def _dropping_out(llm: LLM, wrapped: PeftModel, lora: Lora) -> Iterator[None]:
    """The adapter's own dropout on and seeded. The model's dropout and noise stay off: a write is a pure function."""
    if not lora.dropout:
        yield
        return
    for module in wrapped.modules():
        if isinstance(module, LoraLayer):
            module.lora_dropout.train()
    with torch.random.fork_rng(devices=[llm.device] if llm.device.type == "cuda" else []):
        torch.manual_seed(lora.seed)
        yield


def _halve(wrapped: PeftModel) -> list[tuple[Tensor, Tensor]]:
    """Cast the frozen weights below the adapters once, not at every step; returns them with what they were."""
    out = []
    for module in wrapped.modules():
        if isinstance(module, LoraLayer):
            weight = module.get_base_layer().weight
            out.append((weight, weight.data))
            weight.data = weight.data.bfloat16()
    return out


def mean_loss(
    llm: LLM, step: Sequence[Sentence], hidden: Sequence[Tensor], lessons: Lessons[Sentence] | None = None
) -> Tensor:
    """Mean over sentences of the mean over their loss tokens, which these hidden states predict.

    Without a teacher's lessons it is the cross-entropy of the tokens.
    """
    student = torch.cat([h[s.start :] for s, h in zip(step, hidden, strict=True)])
    weights = torch.cat(
        [torch.full((len(h) - s.start,), 1 / (len(h) - s.start)) for s, h in zip(step, hidden, strict=True)]
    )
    weights = weights.to(student.device) / len(step)
    if lessons is None:
        logits = llm.logits(student)
        labels = torch.tensor([t for s in step for t in s.tokens[s.start :]], device=student.device)
        return (F.cross_entropy(logits, labels, reduction="none") * weights).sum()
    total = (of_tokens(lessons.objective, student, lessons.on(step, student.device), llm.logits) * weights).sum()
    return total / llm.logits(student[:0]).shape[-1] if lessons.objective.reduction == "vocab_mean" else total
