"""Low-rank factors beside the weights: two sets can be worn in turn within one step, and gradients flow into both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from membench.errors import MembenchError
from membench.trained.trainer import Lora

if TYPE_CHECKING:
    from membench.model.llm import LLM

Factors = dict[str, dict[str, Tensor]]


def fresh_factors(llm: LLM, rank: int, seed: int) -> Factors:
    """LoRA factors by module name: A random, B zero, float32."""
    generator = torch.Generator().manual_seed(seed)
    out: Factors = {}
    for name, module in llm.model.get_decoder().named_modules(prefix=_decoder_name(llm)):
        if name.rpartition(".")[2] in Lora.modules:
            rows, columns = module.weight.shape
            down = (torch.rand(rank, columns, generator=generator) * 2 - 1) / columns**0.5
            factors = {"A": down.to(llm.device), "B": torch.zeros(rows, rank, device=llm.device)}
            out[name] = {key: tensor.requires_grad_() for key, tensor in factors.items()}
    if not out:
        raise MembenchError(f"{llm.name} has none of the projections {', '.join(Lora.modules)}")
    return out


def _decoder_name(llm: LLM) -> str:
    """What the decoder is called inside the model."""
    decoder = llm.model.get_decoder()
    return next(str(name) for name, module in llm.model.named_modules() if module is decoder)


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
