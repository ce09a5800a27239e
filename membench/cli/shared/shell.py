"""The group of all commands: their order, errors as one line, exit statuses."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import click

from membench.cli.shared import streams
from membench.cli.shared.manners import debugging
from membench.cli.shared.panels import Group
from membench.errors import MembenchError
from membench.text.visible import visible

FAILED, WRONG, NO_CHOICE, STOPPED = 1, 2, 3, 130
LONGEST = 900  # characters of a line of complaint


class Shell(Group):
    """A group whose errors are one line on standard error, and whose commands stand on shelves."""

    shelves: dict[str, list[click.Command]]

    def put(self, title: str, *commands: click.Command) -> None:
        """Add commands under this heading."""
        self.shelves = {**getattr(self, "shelves", {}), title: list(commands)}
        for command in commands:
            self.add_command(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each shelf, a line a command."""
        longest = max(map(len, self.commands))
        limit = formatter.width - 6 - longest
        for title, commands in self.shelves.items():
            with formatter.section(title):
                formatter.write_dl([(f"{c.name:{longest}}", c.get_short_help_str(limit)) for c in commands])

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
            _complain(_with_help(error))
            code = WRONG
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; with --debug, errors keep their traceback."""
        try:
            return super().invoke(ctx)
        except MembenchError as error:
            if debugging(ctx):
                raise
            _complain(str(error))
            ctx.exit(WRONG)
        except KeyboardInterrupt:
            click.echo("stopped; the same command goes on from here", err=True)
            ctx.exit(STOPPED)


def _with_help(error: click.ClickException) -> str:
    """The message; of one that does not say what to type instead, with the command that lists it."""
    said = error.format_message()
    tells = isinstance(error, click.BadParameter) and not isinstance(error, click.MissingParameter)
    if tells or said.endswith(("?", "?)")) or not isinstance(error, click.UsageError) or error.ctx is None:
        return said
    return f"{said.rstrip('.')}: {error.ctx.command_path} --help lists what there is"


def _complain(text: str) -> None:
    """One line; of a long one, which repeats what was typed, beginning and end."""
    line = " ".join(visible(text).split())
    if len(line) > LONGEST:
        line = f"{line[: LONGEST - 300]} … {line[-300:]}"
    click.echo(f"membench: {line}", err=True)
