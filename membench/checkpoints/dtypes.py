"""The precisions that weights can have, by name; without torch, as the command line names them."""

from __future__ import annotations

from membench.errors import MembenchError

DTYPES = ("float32", "bfloat16", "float16")
AUTO = "auto"  # float32 on a CPU and bfloat16 elsewhere


def chosen_dtype(name: str, device: str) -> str:
    """The precision that a name stands for on a device. Raises MembenchError for an unknown one."""
    if name == AUTO:
        return "float32" if device == "cpu" else "bfloat16"
    if name not in DTYPES:
        raise MembenchError(f"unknown dtype {name!r}: choose from {', '.join((AUTO, *DTYPES))}")
    return name
