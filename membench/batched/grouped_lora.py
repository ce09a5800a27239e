"""Low-rank factors of several contexts on one module: each token is changed by those of its own context alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from membench.trained.lora import Layer


class GroupedLora:
    """The factors of several adapters of one shape, and whose tokens are read now.

    `started` are the adapters as they begin, one a context: all with the same modules and ranks.
    """

    def __init__(self, model: nn.Module, started: Sequence[Layer], scale: float):
        self._model = model
        self._present: tuple[int, ...] = ()
        self.mask: Tensor  # [tokens, ranks of those present]: 1 where a token is of that context
        self._rank = len(next(iter(started[0].values()))["A"])
        self.modules = {
            name: GroupedLinear(self, model.get_submodule(name), [layer[name] for layer in started], scale)
            for name in started[0]
        }

    @contextmanager
    def worn(self) -> Iterator[None]:
        """The model with the factors on it; afterwards it has its own modules again."""
        for name, module in self.modules.items():
            self._model.set_submodule(name, module)
        try:
            yield
        finally:
            for name, module in self.modules.items():
                self._model.set_submodule(name, module.base)

    @contextmanager
    def reading(self, runs: Sequence[tuple[int, int]], device: torch.device) -> Iterator[None]:
        """Whose tokens stand one behind another in the next pass: (context, how many)."""
        self._present = tuple(dict.fromkeys(context for context, _ in runs))
        places = [self._present.index(context) for context, count in runs for _ in range(count)]
        own = F.one_hot(torch.tensor(places), len(self._present)).float()
        self.mask = own.repeat_interleave(self._rank, dim=1).to(device, non_blocking=True)
        try:
            yield
        finally:
            self._present = ()

    def parameters_of(self, context: int) -> list[nn.Parameter]:
        """What is trained for one context."""
        return [part for m in self.modules.values() for part in (m.down[context], m.up[context])]

    def present(self, factors: nn.ParameterList, dim: int) -> Tensor | None:
        """The factors of the contexts that are read now, side by side; None where tokens are nobody's."""
        return torch.cat([factors[k] for k in self._present], dim) if self._present else None

    def factors(self, context: int) -> Layer:
        """One context's adapter as it is now."""
        return {
            name: {key: part[context].detach().float().cpu().clone() for key, part in (("A", m.down), ("B", m.up))}
            for name, m in self.modules.items()
        }


class GroupedLinear(nn.Module):
    """A frozen projection with every context's factors: one product for all of them, masked between its two halves."""

    _owner: GroupedLora
    _scale: float

    def __init__(self, owner: GroupedLora, base: nn.Module, factors: Sequence[Mapping[str, Tensor]], scale: float):
        super().__init__()
        self._owner = owner
        self.base = base
        self._scale = scale
        weight = next(base.parameters())
        at, kind = weight.device, torch.promote_types(weight.dtype, torch.float32)  # as peft has them
        self.down = nn.ParameterList([nn.Parameter(part["A"].to(at, kind)) for part in factors])
        self.up = nn.ParameterList([nn.Parameter(part["B"].to(at, kind)) for part in factors])

    def forward(self, x: Tensor) -> Tensor:
        """What the projection makes of x [1, tokens, in], with the change of each token's own context."""
        out: Tensor = self.base(x)
        down, up = self._owner.present(self.down, 0), self._owner.present(self.up, 1)
        if down is None or up is None:
            return out
        inner = F.linear(x.to(down.dtype), down)
        change = F.linear(inner * self._owner.mask.to(inner.dtype), up) * self._scale
        return (out + change).to(out.dtype)
