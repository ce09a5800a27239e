"""The precisions that weights can have, by name; without torch, as the command line names them."""

from __future__ import annotations

from membench.errors import MembenchError

DTYPES = ("float32", "bfloat16", "float16")
DEVICES = ("cpu", "cuda", "mps")
AUTO = "auto"  # float32 on a CPU and bfloat16 elsewhere


def refuse_device(name: str) -> None:
    """Raise MembenchError for what is no device of this machine; torch is imported for others than the CPU alone."""
    kind, _, number = name.partition(":")
    if name == "cpu":
        return
    if kind not in DEVICES or (":" in name and not (kind == "cuda" and number.isdecimal())):
        raise MembenchError(f"unknown device {name!r}: choose from cpu, cuda, cuda:1, mps")
    import torch

    there = torch.cuda.device_count() if kind == "cuda" else int(torch.backends.mps.is_available())
    if int(number or 0) >= there:
        what = f"{kind}:{there - 1} at most" if there else f"no {kind} that torch {torch.__version__} can use"
        raise MembenchError(f"there is no device {name}: this machine has {what}; `membench doctor` lists devices")


def chosen_dtype(name: str, device: str) -> str:
    """The precision that a name stands for on a device. Raises MembenchError for an unknown one."""
    if name == AUTO:
        return "float32" if device == "cpu" else "bfloat16"
    if name not in DTYPES:
        raise MembenchError(f"unknown dtype {name!r}: choose from {', '.join((AUTO, *DTYPES))}")
    return name
