"""The name under which a forward pass takes the cache: of models as they are, compiled, wrapped, replaced."""

from __future__ import annotations

import functools
from typing import Any

import pytest
import torch
from torch import nn

from membench.reading.cache_argument import kept_in


class New(nn.Module):
    def forward(self, ids: Any, cache: Any = None, **_: Any) -> None: ...


class Old(nn.Module):
    def forward(self, ids: Any, past_key_values: Any = None, **_: Any) -> None: ...


class Open(nn.Module):
    def forward(self, *_: Any, **__: Any) -> None: ...


def replaced(model: nn.Module, by: Any) -> nn.Module:
    model.forward = by
    return model


def passed_on(model: nn.Module, whole: bool) -> nn.Module:
    own = model.forward

    def forward(*args: Any, **given: Any) -> Any:
        return own(*args, **given)

    return replaced(model, functools.wraps(own)(forward) if whole else forward)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (New(), "cache"),
        (Old(), "past_key_values"),
        (Open(), "past_key_values"),
        (torch.compile(New(), backend="eager"), "cache"),
        (torch.compile(Old(), backend="eager"), "past_key_values"),
        (replaced(Old(), New().forward), "cache"),
        (replaced(New(), Old().forward), "past_key_values"),
        (passed_on(New(), whole=True), "cache"),
        (passed_on(New(), whole=False), "cache"),
    ],
)
def test_the_name_is_that_of_the_forward_pass_that_runs(model: nn.Module, name: str) -> None:
    assert kept_in(model, 1) == {name: 1}
