"""The LoRA adapter that is trained: its shape, where it lies, its factors; apart from others, and several as one."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn

from membench.errors import MembenchError
from membench.trained.projections import layers_of, projections
from membench.values import Adapter

if TYPE_CHECKING:
    from membench.model.llm import LLM


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


def require_projections(llm: LLM, cut: int) -> list[str]:
    """What LoRA is put on in the layers from `cut` on. Raises MembenchError where there is nothing."""
    names = projections(llm.model, cut)
    if not names:
        raise MembenchError(
            f"its layers from {cut} on have no projection that LoRA can be put on; "
            "take another model, or a method that trains nothing"
        )
    return names


def wrap(llm: LLM, lora: Lora, cut: int) -> PeftModel:
    """The model with a fresh adapter on the layers from `cut` on, all else as it was. Raises MembenchError."""
    names = require_projections(llm, cut)
    config = LoraConfig(r=lora.rank, lora_alpha=lora.alpha, lora_dropout=lora.dropout, target_modules=names)
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        # peft asks the model for a property that transformers 5 has renamed
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*", category=FutureWarning)
        warnings.filterwarnings("ignore", message=".*fan_in_fan_out.*")  # peft sees GPT-2's weights and says so
        torch.manual_seed(lora.seed)
        try:
            return get_peft_model(_layers_alone(llm.model), config).eval()
        except ValueError as error:
            raise MembenchError(f"cannot put LoRA on {llm.name}: {error}") from error


def _layers_alone(model: nn.Module) -> nn.Module:
    """The layers at their own names, in a module that has nothing else.

    Of some model types peft would move a shared expert's adapter to the experts; it knows them by their configuration.
    """
    name, layers = layers_of(model)
    root = above = nn.Module()
    *parts, last = name.split(".")
    for part in parts:
        inner = nn.Module()
        above.add_module(part, inner)
        above = inner
    above.add_module(last, layers)
    return root


def factors(wrapped: PeftModel) -> Layer:
    """The adapter's factors by module name, as they are now."""
    return {
        name: {
            "A": module.lora_A["default"].weight.detach().float().cpu().clone(),
            "B": module.lora_B["default"].weight.detach().float().cpu().clone(),
        }
        for name, module in _lora_layers(wrapped)
    }


def _lora_layers(wrapped: PeftModel) -> Iterator[tuple[str, LoraLayer]]:
    """What wears the adapter, by its name inside the model."""
    for name, module in wrapped.named_modules():
        if isinstance(module, LoraLayer):
            yield name.removeprefix("base_model.model."), module


class Complement:
    """Keeps the inputs that an adapter reads, the rows of A, orthogonal to those that earlier adapters read.

    What lies in their span, as what they were trained on mostly does, then passes the new adapter unchanged. O-LoRA
    (Wang et al., Findings of EMNLP 2023) penalises the inner products; here the span is projected out, so that there
    are none.
    """

    def __init__(self, wrapped: PeftModel, others: Adapter) -> None:
        """Raises MembenchError where the others leave no input that none of them reads."""
        self._spans: list[tuple[Tensor, Tensor]] = []  # A [rank, in], and an orthonormal basis [in, rows of the others]
        for name, module in _lora_layers(wrapped):
            weight = module.lora_A["default"].weight
            rows = [layer[name]["A"] for layer in others.layers if name in layer]
            if not rows:
                continue
            read = torch.cat(rows).to(weight.device, weight.dtype)
            if len(read) >= read.shape[1]:
                raise MembenchError(
                    f"orthogonal=true: the adapters of {len(rows)} writes read all {read.shape[1]} inputs of {name}; "
                    "take a smaller rank"
                )
            self._spans.append((weight, torch.linalg.qr(read.T).Q))

    @torch.no_grad()
    def project(self) -> None:
        """Take out of A what the others read."""
        for weight, basis in self._spans:
            weight -= (weight @ basis) @ basis.T


def merged(adapters: Sequence[Adapter], weights: Sequence[float]) -> Adapter:
    """The adapter whose change of the weights is the weighted sum of theirs; one alone with weight 1 is itself.

    The factors stand side by side (peft calls it "cat"), so that nothing is lost.
    """
    if len(adapters) == 1 and weights[0] == 1.0:
        return adapters[0]
    scale = adapters[0].scale
    return Adapter(
        tuple(
            _weighted(layer, weight * adapter.scale / scale)
            for adapter, weight in zip(adapters, weights, strict=True)
            for layer in adapter.layers
        ),
        scale,
    )


def _weighted(layer: Mapping[str, Mapping[str, Any]], weight: float) -> Mapping[str, Mapping[str, Any]]:
    if weight == 1.0:
        return layer
    return {name: {"A": part["A"], "B": part["B"] * weight} for name, part in layer.items()}
