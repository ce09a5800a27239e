"""Which tables a decision looks at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from membench.cli.shared.options import listed, listed_data

F = TypeVar("F", bound=Callable[..., Any])


def filters(command: F) -> F:
    """Which tables to look at."""
    for name, what in (("model", "models"), ("data", "data"), ("task", "tasks")):
        flags = ("-t", "--task") if name == "task" else (f"--{name}",)
        parts = listed_data if name == "data" else listed
        command = click.option(*flags, multiple=True, callback=parts, help=f"Only these {what}.")(command)
    return command
