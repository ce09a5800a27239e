"""What options may be: paths, lists with commas, whole numbers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from membench.errors import MembenchError, shortened
from membench.io.user_files import user_path


class PathType(click.Path):
    """A path as `Path`; `~` is a home folder, though no shell has seen it (in a file of options, behind a `=`)."""

    def __init__(self, **wanted: Any):
        super().__init__(path_type=Path, **wanted)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path. Raises click.BadParameter for what cannot be one."""
        if value == "":
            self.fail("'' is no path", param, ctx)
        try:
            os.stat(user_path(value))
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            pass  # what is missing may be wanted so; who needs it says what is wrong
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            self.fail(f"{shortened(repr(str(value)))} is no path ({reason})", param, ctx)
        return super().convert(user_path(value), param, ctx)


def listed(_: click.Context, parameter: click.Parameter, value: Sequence[str]) -> tuple[str, ...]:
    """`-m a,b -m c` as (a, b, c), without repetitions. Raises MembenchError for an option that names nothing."""
    parts = (part.strip() for item in value for part in item.split(","))
    return _some(parameter, value, tuple(dict.fromkeys(part for part in parts if part)))


def listed_data(_: click.Context, parameter: click.Parameter, value: Sequence[str]) -> tuple[str, ...]:
    """The same for data, whose files may have commas in their names."""
    from membench.plugins.registry import split_data

    return _some(parameter, value, split_data(value))


def _some(parameter: click.Parameter, typed: Sequence[str], found: tuple[str, ...]) -> tuple[str, ...]:
    if typed and not found:
        raise MembenchError(f"{parameter.opts[-1]} names nothing: leave it out, or say what")
    return found


def whole_numbers(ctx: click.Context, parameter: click.Parameter, value: str) -> tuple[int, ...]:
    """`0,1,2` as (0, 1, 2)."""
    try:
        return tuple(dict.fromkeys(int(part) for part in value.split(",")))
    except ValueError:
        raise MembenchError(
            f"--{parameter.name} wants whole numbers with commas between them, got {shortened(repr(value))}"
        ) from None
