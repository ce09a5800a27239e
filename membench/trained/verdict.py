"""Whether a model can be trained, and how: an untrained student and a merged adapter against the model's own forward.

The student reads branches of a tree, its lower layers once; both save time and neither must change a number. What a
model's own forward pass says of a few sentences decides, before the first step, which of the three ways is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import torch
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from torch import Tensor

from membench.errors import MembenchError
from membench.model.meter import Meter
from membench.reading.kept_verdicts import keep, kept
from membench.trained.lora import Lora, factors, require_projections, wrap
from membench.trained.projections import has_experts, layers_of, roles
from membench.trained.sentences import Sentence
from membench.trained.student import Student, first_trained
from membench.trained.whole import WholeStudent
from membench.values import Adapter

if TYPE_CHECKING:
    from membench.model.llm import LLM

WAYS = ("split", "tree", "whole")  # the lower layers once; all layers, in branches; every sentence alone
# Nats a token: what rounding may make between two orders of the same sums.
TOLERANCE = {torch.float32: 2e-6, torch.float16: 1e-3, torch.bfloat16: 2e-2}
_RAISED = (AttributeError, IndexError, KeyError, NotImplementedError, RuntimeError, TypeError, ValueError)
_STEM = "The harbour of Vellmar lies in the north, where the river meets the sea.\n"
_BELOW = ("Q: Who built the harbour?\nA: Ines Corde\n", "It holds forty ships in a good year, and was built in 1931.\n")


@dataclass(frozen=True)
class TrainingVerdict:
    """How a model is trained: on which modules, and which of WAYS its student reads; or why it cannot be."""

    modules: tuple[str, ...]  # what LoRA is put on; see membench.trained.projections.roles
    experts: bool  # whether the model has experts, which are left as they are
    way: str  # "" if it cannot be trained
    reason: str = ""


_known: WeakKeyDictionary[LLM, dict[float, TrainingVerdict]] = WeakKeyDictionary()  # of models as they were loaded


def training_verdict(llm: LLM, upper: float = 0.5) -> TrainingVerdict:
    """The verdict on a model whose upper layers, this share of them, are to be trained; found once for a loaded one."""
    known = _known.setdefault(llm, {})
    if upper not in known:
        known[upper] = _kept(llm, upper) or _judge(llm, upper)
        if known[upper].way:
            keep(_named(upper), llm.checkpoint, asdict(known[upper]))
    return known[upper]


def require_trainable(llm: LLM, upper: float = 0.5) -> TrainingVerdict:
    """The same. Raises MembenchError, in one line, for a model that cannot be trained."""
    verdict = training_verdict(llm, upper)
    if not verdict.way:
        raise MembenchError(f"{llm.name} cannot be trained: {verdict.reason}")
    return verdict


def student_of(llm: LLM, sentences: Sequence[Sentence], cut: int, way: str) -> Student | WholeStudent:
    """A student that reads these sentences one of the ways."""
    return WholeStudent(llm) if way == "whole" else Student(llm, sentences, cut if way == "split" else 0)


def _kept(llm: LLM, upper: float) -> TrainingVerdict | None:
    """What an earlier process found."""
    found = kept(_named(upper), llm.checkpoint)
    return TrainingVerdict(**{**found, "modules": tuple(found["modules"])}) if found else None


def _named(upper: float) -> str:
    return f"training {upper}"


def _judge(llm: LLM, upper: float) -> TrainingVerdict:
    try:
        modules, experts = roles(llm.model), has_experts(llm.model)
        cut = first_trained(len(layers_of(llm.model)[1]), upper)
        require_projections(llm, cut)
    except MembenchError as error:
        return TrainingVerdict((), False, "", str(error))
    own_meter, llm.meter = llm.meter, Meter()
    try:
        sentences = _sentences(llm)
        why = ""
        for way in WAYS if cut else WAYS[1:]:
            if not (why := _trial(llm, sentences, cut, way)):
                return TrainingVerdict(modules, experts, way)
        return TrainingVerdict(modules, experts, "", why)
    finally:
        llm.meter = own_meter


@torch.no_grad()
def _trial(llm: LLM, sentences: Sequence[Sentence], cut: int, way: str) -> str:
    """Why a student that reads this way is not the model itself; empty where it is."""
    try:
        if off := _off(llm, _own(llm, sentences), _read(llm, sentences, cut, way)):
            return f"an untrained student is {off:.2g} nats a token off the model itself"
        wrapped = wrap(llm, Lora(rank=2), cut)
        try:
            _stir(wrapped)
            layer, read = factors(wrapped), _read(llm, sentences, cut, way)
        finally:
            wrapped.unload()
            llm.model.requires_grad_(False)
        with llm.wearing(Adapter((layer,), Lora(rank=2).scale)):
            merged = _own(llm, sentences)
        off = _off(llm, merged, read)
        return f"a merged adapter is {off:.2g} nats a token off the trained one" if off else ""
    except _RAISED as error:
        first = str(error).strip().partition("\n")[0]
        return f"its layers are unlike those that membench can train ({type(error).__name__}: {first})"


def _sentences(llm: LLM) -> list[Sentence]:
    """Two below one stem, and one that stands alone."""
    stem, *below = (tuple(llm.ids(text)) for text in (_STEM, *_BELOW))
    beside = [Sentence("trial", (*llm.bos, *stem), (), tokens) for tokens in below]
    return [*beside, Sentence("trial", llm.bos, (), below[1], 0 if llm.bos else 1)]


def _own(llm: LLM, sentences: Sequence[Sentence]) -> list[Tensor]:
    """Log-probabilities [loss tokens, vocabulary] of each sentence by the model's own forward pass."""
    out = []
    for s in sentences:
        ids = torch.tensor([[*s.stem, *s.tokens]], device=llm.device)
        logits = llm.model(input_ids=ids, use_cache=False).logits[0]
        out.append(logits[len(s.stem) + s.start - 1 : -1].float().log_softmax(-1))
    return out


def _read(llm: LLM, sentences: Sequence[Sentence], cut: int, way: str) -> list[Tensor]:
    """The same by a student."""
    with student_of(llm, sentences, cut, way).reading(sentences) as hidden:
        return [llm.logits(h[s.start :]).log_softmax(-1) for s, h in zip(sentences, hidden, strict=True)]


def _off(llm: LLM, own: Sequence[Tensor], read: Sequence[Tensor]) -> float:
    """The largest mean KL of a sentence, in nats a token; 0 where it is within what the dtype's rounding makes."""
    kl = max((one.exp() * (one - other)).sum(-1).mean().item() for one, other in zip(own, read, strict=True))
    return 0.0 if kl <= TOLERANCE[llm.model.dtype] else kl


def _stir(wrapped: PeftModel) -> None:
    """Give a fresh adapter factors that change what the model says, the same every time."""
    generator = torch.Generator().manual_seed(0)
    for module in wrapped.modules():
        if isinstance(module, LoraLayer):
            weight = module.lora_B["default"].weight
            weight.copy_(torch.randn(weight.shape, generator=generator) * 0.02)
