"""The one training loop that FT(C), FT(S) and SELF-PARAM share: LoRA on target sentences, hard labels or a teacher.

SELF-PARAM (Wang et al., ICLR 2025) minimises KL(P(s | context) ‖ P'(s)) over target sentences s. The teacher is the
model that is handed in, with the context in its prompt. It is frozen, so it reads each sentence once: its final hidden
states are kept, and the frozen output head makes the exact logits from them at every step.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.lora import LoraLayer
from torch import Tensor
from torch.nn import functional as F

from membench.errors import MembenchError
from membench.trained.projections import layers_of, projections
from membench.trained.sentences import Sentence
from membench.trained.student import Student, first_trained
from membench.trained.teacher import teach

if TYPE_CHECKING:
    from membench.model.llm import LLM
    from membench.values import Adapter

PRECISIONS = ("auto", "float32", "bfloat16")


@dataclass(frozen=True)
class Lora:
    """The adapter and its optimiser."""

    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.0
    lr: float = 1e-3  # of the first step; it falls linearly to 0 behind the last
    upper: float = 0.5  # share of the decoder's layers, from the top, that wear the adapter
    precision: str = "auto"
    seed: int = 0

    @property
    def scale(self) -> float:
        """The factor of B @ A."""
        return self.alpha / self.rank


Layer = Mapping[str, Mapping[str, Tensor]]


def train(
    llm: LLM,
    steps: Iterable[Sequence[Sentence]],
    loss: str,
    lora: Lora,
    reduction: str = "token_mean",
    on_step: Callable[[int, float, PeftModel], None] | None = None,
    below: Adapter | None = None,
    known: Mapping[Sentence, Tensor] | None = None,
) -> tuple[Layer, Mapping[Sentence, Tensor]]:
    """Train a fresh adapter on top of `below` and the weights that the model wears.

    Returns its factors by module name, and what the teacher said of each sentence (see `teach`; nothing for "ce"). The
    teacher is the model as it is handed in, without `below`; `known` is what it has said before of some sentences.

    `loss` is "ce" (next-token cross-entropy) or "kl" (to the teacher). A step's loss is the mean over its sentences of
    the mean over their tokens. `reduction="vocab_mean"` divides the KL by the vocabulary too, as the released code
    does.
    """
    plan = [list(step) for step in steps]
    teacher: dict[Sentence, Tensor] = {}
    if loss == "kl":
        teacher |= known or {}
        with precision(llm, lora.precision):
            teacher |= teach(llm, [s for step in plan for s in step if s not in teacher])
    with llm.wearing(below):
        return _fit(llm, plan, teacher, lora, reduction, on_step), teacher


def _fit(
    llm: LLM,
    plan: Sequence[Sequence[Sentence]],
    teacher: Mapping[Sentence, Tensor],
    lora: Lora,
    reduction: str,
    on_step: Callable[[int, float, PeftModel], None] | None,
) -> Layer:
    """The optimiser's steps; the model comes back as it was."""
    cut = first_trained(len(layers_of(llm.model)[1]), lora.upper)
    wrapped = wrap(llm, lora, cut)
    frozen: list[tuple[Tensor, Tensor]] = []
    try:
        autocast = precision(llm, lora.precision)
        frozen += _halve(wrapped) if isinstance(autocast, torch.autocast) else []
        with autocast:
            student = Student(llm, (s for step in plan for s in step), cut)
        with _dropping_out(llm, wrapped, lora):
            _descend(llm, plan, student, wrapped, teacher, lora, reduction, on_step)
        return factors(wrapped)
    finally:
        for parameter, whole in frozen:
            parameter.data = whole
        wrapped.unload()
        llm.model.eval().requires_grad_(False)


def _descend(
    llm: LLM,
    plan: Sequence[Sequence[Sentence]],
    student: Student,
    wrapped: PeftModel,
    teacher: Mapping[Sentence, Tensor],
    lora: Lora,
    reduction: str,
    on_step: Callable[[int, float, PeftModel], None] | None,
) -> None:
    autocast = precision(llm, lora.precision)
    optimiser = torch.optim.AdamW([p for p in wrapped.parameters() if p.requires_grad], lr=lora.lr)
    for i, step in enumerate(plan):
        optimiser.param_groups[0]["lr"] = lora.lr * (1 - i / len(plan))
        with autocast, student.reading(step) as hidden:
            value = mean_loss(llm, step, hidden, teacher, reduction)
            value.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        llm.meter.add(trained=sum(len(s.tokens) for s in step))
        if on_step:
            on_step(i, value.item(), wrapped)


def precision(llm: LLM, name: str) -> AbstractContextManager[Any]:
    """Mixed precision for training: bfloat16 where the device computes it natively (`auto`), or as named."""
    if name not in PRECISIONS:
        raise MembenchError(f"unknown precision {name!r}: choose from {', '.join(PRECISIONS)}")
    kind = llm.device.type
    native = torch.cpu._is_avx512_bf16_supported() if kind == "cpu" else kind == "cuda"
    if name == "float32" or (name == "auto" and not native):
        return nullcontext()
    return torch.autocast(kind, dtype=torch.bfloat16)


def wrap(llm: LLM, lora: Lora, cut: int) -> PeftModel:
    """The model with a fresh adapter on the layers from `cut` on, all else as it was. Raises MembenchError."""
    names = projections(llm.model, cut)
    if not names:
        raise MembenchError(
            f"cannot put LoRA on {llm.name}: its layers from {cut} on have no projections of their own; "
            "take another model, or a method that trains nothing"
        )
    config = LoraConfig(r=lora.rank, lora_alpha=lora.alpha, lora_dropout=lora.dropout, target_modules=names)
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        # peft asks the model for a property that transformers 5 has renamed
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*", category=FutureWarning)
        torch.manual_seed(lora.seed)
        try:
            return get_peft_model(llm.model, config).eval()
        except ValueError as error:
            raise MembenchError(f"cannot put LoRA on {llm.name}: {error}") from error


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


def factors(wrapped: PeftModel) -> Layer:
    """The adapter's factors by module name, as they are now."""
    prefix = "base_model.model."
    return {
        name.removeprefix(prefix): {
            "A": module.lora_A["default"].weight.detach().float().cpu().clone(),
            "B": module.lora_B["default"].weight.detach().float().cpu().clone(),
        }
        for name, module in wrapped.named_modules()
        if isinstance(module, LoraLayer)
    }


def mean_loss(
    llm: LLM, step: Sequence[Sentence], hidden: Sequence[Tensor], teacher: Mapping[Sentence, Tensor], reduction: str
) -> Tensor:
    """Mean over sentences of the mean over their loss tokens, which these hidden states predict."""
    student = torch.cat([h[s.start :] for s, h in zip(step, hidden, strict=True)])
    weights = torch.cat(
        [torch.full((len(h) - s.start,), 1 / (len(h) - s.start)) for s, h in zip(step, hidden, strict=True)]
    )
    weights = weights.to(student.device) / len(step)
    logits = llm.logits(student)
    if not teacher:
        labels = torch.tensor([t for s in step for t in s.tokens[s.start :]], device=student.device)
        return (F.cross_entropy(logits, labels, reduction="none") * weights).sum()
    with torch.no_grad():
        target = llm.logits(torch.cat([teacher[s] for s in step]).float().to(student.device)).log_softmax(-1)
        weight = target.exp()
        entropy = -(weight * target).sum(-1)
    kl = F.cross_entropy(logits, weight, reduction="none") - entropy
    divisor = logits.shape[-1] if reduction == "vocab_mean" else 1
    return (kl * weights).sum() / divisor
