"""Low-rank factors beside the weights: two sets can be worn in turn within one step, and gradients flow into both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from membench.trained.projections import projections

if TYPE_CHECKING:
    from membench.model.llm import LLM

Factors = dict[str, dict[str, Tensor]]


def fresh_factors(llm: LLM, rank: int, seed: int) -> Factors:
    """LoRA factors by module name: A random, B zero, float32."""
    generator = torch.Generator().manual_seed(seed)
    out: Factors = {}
    for name in projections(llm.model):
        rows, columns = llm.model.get_submodule(name).weight.shape
        down = (torch.rand(rank, columns, generator=generator) * 2 - 1) / columns**0.5
        factors = {"A": down.to(llm.device), "B": torch.zeros(rows, rank, device=llm.device)}
        out[name] = {key: tensor.requires_grad_() for key, tensor in factors.items()}
    return out


def detached(factors: Factors) -> Factors:
    """Copies on the CPU."""
    return {name: {k: t.detach().cpu().clone() for k, t in parts.items()} for name, parts in factors.items()}


@contextmanager
def added(llm: LLM, factors: Factors, scale: float) -> Iterator[None]:
    """The model with these factors beside its weights, so that gradients flow into them."""

    def beside(parts: dict[str, Tensor]) -> Callable[[Any, Any, Tensor], Tensor]:
        def hook(_: Any, args: Any, out: Tensor) -> Tensor:
            change = F.linear(F.linear(args[0].float(), parts["A"]), parts["B"])
            return out + (scale * change).to(out.dtype)

        return hook

    handles = [llm.model.get_submodule(n).register_forward_hook(beside(p)) for n, p in factors.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
