"""What one method or command alone needs is an extra of the package; a missing one is named with its command."""

from __future__ import annotations

from importlib.util import find_spec

from membench.errors import MembenchError

EXTRAS = {  # the module that each brings
    "pdf": "pypdf", "raptor": "umap", "ray": "ray", "report": "matplotlib", "slurm": "submitit", "vllm": "vllm",
}  # fmt: skip


def require(extra: str, what: str) -> None:
    """Raise MembenchError, with the command that installs it, if the module of an extra is not there.

    The module is not imported. `what` is who needs it, for the message.
    """
    if find_spec(EXTRAS[extra]) is None:
        raise MembenchError(f"{what} needs {EXTRAS[extra]}, which is not installed: {command(extra)}")


def command(extra: str) -> str:
    """What to type to have an extra."""
    return f"pip install 'membench[{extra}]'"
