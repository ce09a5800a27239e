"""What all commands share: errors as one line, exit statuses, comma lists, tables for a terminal or a pipe."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from membench.cli import streams
from membench.errors import MembenchError, shortened
from membench.io.user_files import user_path
from membench.text.visible import visible

F = TypeVar("F", bound=Callable[..., Any])

FAILED, WRONG, NO_CHOICE, STOPPED = 1, 2, 3, 130
_DEBUG = "membench.debug"
LONGEST = 900  # characters of a line of complaint


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


class Shell(click.Group):
    """A group whose errors are one line on standard error; `_` and `-` are the same in an option's name."""

    def main(self, *args: Any, standalone_mode: bool = True, **kwargs: Any) -> NoReturn:
        """Run a command line and exit: 0 well, 1 a cell failed, 2 wrong input, 3 advise has no choice, 130 stopped."""
        streams.prepare()
        try:
            with streams.broken_output() as output:
                code: Any = super().main(*args, standalone_mode=False, **kwargs)  # type: ignore[call-overload]
            code = output.status or code
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            code = WRONG
        except click.ClickException as error:
            _complain(error.format_message())
            code = WRONG
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; with --debug, errors keep their traceback."""
        try:
            return super().invoke(ctx)
        except MembenchError as error:
            if ctx.meta.get(_DEBUG):
                raise
            _complain(str(error))
            ctx.exit(WRONG)
        except KeyboardInterrupt:
            click.echo("stopped; the same command goes on from here", err=True)
            ctx.exit(STOPPED)


def debugging(ctx: click.Context) -> bool:
    """Whether --debug was given."""
    return bool(ctx.meta.get(_DEBUG))


def common(command: F) -> F:
    """The options that every command has."""

    def remember(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        ctx.meta[_DEBUG] = value or ctx.meta.get(_DEBUG, False)

    return click.option(
        "--debug", is_flag=True, expose_value=False, is_eager=True, callback=remember, help="Show tracebacks of errors."
    )(command)


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


def print_json(value: Any) -> None:
    """JSON on standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns on standard output: boxed on a terminal, markdown in a pipe."""
    if not sys.stdout.isatty():
        click.echo(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
        for row in rows:
            click.echo(f"| {' | '.join(visible(cell).replace('|', chr(92) + '|') for cell in row)} |")
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*head)
    for row in rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    Console().print(table)


def _complain(text: str) -> None:
    """One line; of a long one, which repeats what was typed, beginning and end."""
    line = " ".join(visible(text).split())
    if len(line) > LONGEST:
        line = f"{line[: LONGEST - 300]} … {line[-300:]}"
    click.echo(f"membench: {line}", err=True)
