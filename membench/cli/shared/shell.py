"""The group of all commands: errors as one line, exit statuses, and the options that every command has."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import click

from membench.cli.shared import streams
from membench.errors import MembenchError
from membench.text.visible import visible

F = TypeVar("F", bound=Callable[..., Any])

FAILED, WRONG, NO_CHOICE, STOPPED = 1, 2, 3, 130
_DEBUG = "membench.debug"
LONGEST = 900  # characters of a line of complaint


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


def _complain(text: str) -> None:
    """One line; of a long one, which repeats what was typed, beginning and end."""
    line = " ".join(visible(text).split())
    if len(line) > LONGEST:
        line = f"{line[: LONGEST - 300]} … {line[-300:]}"
    click.echo(f"membench: {line}", err=True)
