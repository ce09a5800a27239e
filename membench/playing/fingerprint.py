"""Whether the lent model is as it was: a plug-in that leaves it changed would change the answers of those that follow.

After each call of a method all that is cheap to look at is compared, with a sample of every tensor; at a cell's end
every value. A change fails the cell, and the model is loaded anew for the next.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from membench.errors import MembenchError
from membench.model.llm import LLM
from membench.model.text_model import TextModel
from membench.store.record_log import put_aside

SAMPLE = 64  # values of a tensor that are looked at after each call
PARTS = 64  # of a tensor on an accelerator, each summed by itself

_whole: WeakKeyDictionary[TextModel, dict[str, tuple[object, ...]]] = (
    WeakKeyDictionary()
)  # of models as they were loaded


class ModelChanged(MembenchError):
    """A method left the model that it was lent changed."""


class Watch:
    """Compares a model with what it was when the first cell got it; one is made for each cell."""

    def __init__(self, llm: TextModel, method: str):
        self._llm = llm
        self._method = method
        if llm not in _whole:
            _whole[llm] = {name: _checksum(tensor) for name, tensor in _tensors(llm)}
        self._settings = _settings(llm) | _config(llm)
        self._tensors = {name: (_kind(tensor), _sample(tensor)) for name, tensor in _tensors(llm)}

    @contextmanager
    def around(self, call: str) -> Iterator[None]:
        """Compare what costs no time before and after a call of the method. Raises ModelChanged that names it."""
        before = _settings(self._llm)
        yield
        self._refuse(_difference(before, _settings(self._llm)), call)

    def check(self, call: str) -> None:
        """Compare what is cheap to look at, behind a call of the method. Raises ModelChanged that names it."""
        now = _settings(self._llm) | _config(self._llm)
        tensors = {name: (_kind(tensor), _sample(tensor)) for name, tensor in _tensors(self._llm)}
        self._refuse(_difference(self._settings, now) or _difference(self._tensors, tensors), call)

    @contextmanager
    def to_the_end(self, folder: Path) -> Iterator[None]:
        """Compare every value when all was played, or has failed. Raises ModelChanged.

        Records in `folder` are then put aside: no step tells whether it was read before the change or after it.
        """
        try:
            yield
        except ModelChanged:
            raise
        except Exception:
            with suppress(ModelChanged):  # the cell has failed already: what counts is whether the model is whole
                self._check_all()
            raise
        try:
            self._check_all()
        except ModelChanged:
            put_aside(folder)
            raise

    def _check_all(self) -> None:
        self.check("a call")
        whole = {name: _checksum(tensor) for name, tensor in _tensors(self._llm)}
        self._refuse(_difference(_whole[self._llm], whole), "a call")

    def _refuse(self, part: str | None, call: str) -> None:
        if part is not None:
            self._llm.spoilt = True
            what = f"{self._method}.{call}" if call != "a call" else f"a call of {self._method}"
            raise ModelChanged(f"{what} left the model that it was lent changed: {part}; put it back before you return")


def _tensors(llm: TextModel) -> Iterator[tuple[str, Tensor]]:
    if not isinstance(llm, LLM):
        return
    yield from llm.model.named_parameters()
    yield from llm.model.named_buffers()


def _kind(tensor: Tensor) -> tuple[object, ...]:
    return tensor.dtype, tuple(tensor.shape), str(tensor.device), tensor.requires_grad


@torch.no_grad()
def _sample(tensor: Tensor) -> bytes:
    flat = tensor.detach().reshape(-1)
    return _bytes(flat[:: max(1, len(flat) // SAMPLE)])


@torch.no_grad()
def _checksum(tensor: Tensor) -> tuple[object, ...]:
    """Of every value of a tensor; on an accelerator it is made there."""
    flat = tensor.detach().contiguous().reshape(-1)
    if flat.device.type == "cpu":
        return (zlib.crc32(_bytes(flat)),)
    numbers = flat.view({1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[flat.element_size()])
    return tuple(int(part.sum(dtype=torch.int64)) for part in numbers.chunk(PARTS))


def _bytes(flat: Tensor) -> bytes:
    data: bytes = flat.contiguous().cpu().view(torch.uint8).numpy().tobytes() if len(flat) else b""
    return data


def _settings(llm: TextModel) -> dict[str, object]:
    """What a model is set to, by what a message calls it; objects by their identity."""
    return {
        "max_new_tokens": llm.max_new_tokens,
        "stop": llm.stop,
        "the prompt (renderer)": (id(llm.renderer), llm.renderer.style),
        "opening tokens (bos)": llm.bos,
        "name": llm.name,
        **(_parts(llm) if isinstance(llm, LLM) else {}),
    }


def _parts(llm: LLM) -> dict[str, object]:
    hooks, training, replaced = 0, [], []
    for name, module in llm.model.named_modules():
        hooks += len(module._forward_hooks) + len(module._forward_pre_hooks) + len(module._backward_hooks)
        training += [name] if module.training else []
        replaced += [name] if "forward" in vars(module) else []
    return {
        "the tokenizer": (id(llm.tokenizer), len(llm.tokenizer), llm.tokenizer.chat_template),
        "the model itself": id(llm.model),
        "modules": _modules(llm.model),
        "hooks": hooks,
        "training mode": training,
        "a module's forward": replaced,
    }


def _modules(model: nn.Module) -> list[int]:
    return [id(module) for module in model.modules()]


def _config(llm: TextModel) -> dict[str, object]:
    if not isinstance(llm, LLM):
        return {}
    config = llm.model.config
    said = json.dumps(config.to_dict(), sort_keys=True, default=str)
    return {"its configuration": (said, getattr(config, "_attn_implementation", None))}


def _difference(before: dict[str, Any], after: dict[str, Any]) -> str | None:
    """What is not as it was, by its name; None if all is."""
    return next((name for name in (*before, *after) if before.get(name) != after.get(name)), None)
