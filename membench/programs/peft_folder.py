"""An adapter as peft saves it: adapter_config.json and adapter_model.safetensors."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from membench.errors import MembenchError
from membench.values import Adapter

CONFIG, TENSORS = "adapter_config.json", "adapter_model.safetensors"
_PREFIX = "base_model.model."
_PLAIN: dict[str, tuple[Any, ...]] = {  # what else changes the model than low-rank factors of one rank does not fit
    "use_dora": (False, None), "rank_pattern": ({}, None), "alpha_pattern": ({}, None), "bias": ("none", None),
    "modules_to_save": ([], None), "layer_replication": ([], None), "lora_bias": (False, None),
}  # fmt: skip


def read_adapter(path: Path, model: nn.Module) -> Adapter:
    """The adapter in a folder, or beside its adapter_config.json, for this model.

    Raises MembenchError for files that cannot be read, for an adapter that is more than LoRA of one rank, and for one
    whose modules or shapes are not the model's.
    """
    folder = path if path.is_dir() else path.parent
    tensors = path / TENSORS if path.is_dir() else path
    try:
        config = json.loads((folder / CONFIG).read_bytes())
        found = load_file(tensors)
    except (OSError, ValueError, RecursionError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MembenchError(f"{path} is no adapter that can be read ({CONFIG} and {TENSORS}): {reason}") from error
    return Adapter((_layer(found, model, path),), _scale(config, path))


def _scale(config: Any, path: Path) -> float:
    if not isinstance(config, dict) or config.get("peft_type") != "LORA":
        raise MembenchError(f"{path}: {CONFIG} is of no LoRA (peft_type)")
    for key, plain in _PLAIN.items():
        if (value := config.get(key)) not in plain:
            raise MembenchError(f"{path}: {CONFIG} has {key}={value}: only plain LoRA of one rank can be worn")
    rank, alpha = config.get("r"), config.get("lora_alpha")
    if not (isinstance(rank, int) and rank > 0 and isinstance(alpha, int | float) and math.isfinite(alpha)):
        raise MembenchError(f"{path}: {CONFIG} wants numbers r and lora_alpha, got {rank!r} and {alpha!r}")
    return float(alpha) / (math.sqrt(rank) if config.get("use_rslora") else rank)


def _layer(found: dict[str, Tensor], model: nn.Module, path: Path) -> dict[str, dict[str, Tensor]]:
    """Factors by module name, checked against the model."""
    layer: dict[str, dict[str, Tensor]] = {}
    for key, tensor in found.items():
        name, _, factor = key.removeprefix(_PREFIX).rpartition(".lora_")
        if factor not in ("A.weight", "B.weight"):
            raise MembenchError(f"{path}: {key} is no factor of LoRA")
        layer.setdefault(name, {})[factor[0]] = tensor.to(torch.float32)
    if not layer:
        raise MembenchError(f"{path}: the adapter is empty")
    modules = dict(model.named_modules())
    for name, part in layer.items():
        weight = getattr(modules.get(name), "weight", None)
        if not isinstance(weight, Tensor) or weight.ndim != 2:
            raise MembenchError(f"{path}: the model has no {name} to wear it on")
        shapes = [tuple(part[side].shape) for side in "AB" if side in part]
        out, width = _sides(modules[name], weight)
        if len(shapes) != 2 or shapes[0][1:] != (width,) or shapes[1] != (out, shapes[0][0]):
            raise MembenchError(f"{path}: {name} is {out} × {width} in the model, its factors are {shapes}")
    return layer


def _sides(module: nn.Module, weight: Tensor) -> tuple[int, int]:
    """(out, in) of a layer; GPT-2's keep their weights the other way round."""
    one, other = weight.shape
    return (other, one) if isinstance(module, Conv1D) else (one, other)
