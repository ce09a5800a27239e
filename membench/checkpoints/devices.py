"""Where a model stands: the device that a name means on this machine, and how its weights get there."""

from __future__ import annotations

from typing import Any

from membench.errors import MembenchError

AUTO = "auto"  # CUDA, else MPS, else the CPU
ROOM = 0.8  # of a GPU's free memory that weights may take; the rest is for what is read
_INSTEAD = "take --device auto or cpu"


def chosen_device(name: str) -> str:
    """The device that a name stands for: cpu, cuda, cuda:N or mps. Raises MembenchError for one that is not here."""
    import torch

    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == AUTO:
        return "cuda" if gpus else "mps" if torch.backends.mps.is_available() else "cpu"
    kind, colon, number = name.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (colon and not (kind == "cuda" and number.isdecimal())):
        raise MembenchError(f"unknown device {name!r}: choose from auto, cpu, cuda, cuda:N, mps")
    if kind == "cuda" and not gpus:
        built = "finds no GPU" if torch.version.cuda else "is a build without CUDA"
        raise MembenchError(f"--device {name}: the installed torch {built}: {_INSTEAD}, or install torch with CUDA")
    if kind == "cuda" and colon and int(number) >= gpus:
        raise MembenchError(f"--device {name}: this machine has {gpus} GPUs, counted from cuda:0: {_INSTEAD}")
    if kind == "mps" and not torch.backends.mps.is_available():
        raise MembenchError(f"--device mps: this machine or torch has no MPS: {_INSTEAD}")
    return name


def placement(device: str, weight_bytes: int) -> dict[str, Any]:
    """How transformers is to place weights of so many bytes: straight on a device, or over several GPUs.

    Over several where `cuda` is named without a number and the first one has no room for them and what is read.
    """
    import torch

    if device == "cpu":
        return {}
    if device == "cuda" and torch.cuda.device_count() > 1:
        free, _ = torch.cuda.mem_get_info(0)
        if weight_bytes > ROOM * free:
            return {"device_map": "auto"}
    return {"device_map": {"": device}}
