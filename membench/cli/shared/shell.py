"""The group of all commands: their order, errors as one line, exit statuses."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NoReturn

import click

from membench.cli.shared import streams
from membench.cli.shared.manners import debugging
from membench.cli.shared.panels import Group
from membench.errors import MembenchError
from membench.text.visible import visible

FAILED, WRONG, NO_CHOICE, STOPPED = 1, 2, 3, 130
LONGEST = 900  # characters of a line of complaint


@dataclass(frozen=True)
class Shelved:
    """A command that is imported when it is used: its name, "MODULE:NAME" within membench.cli, its line of help."""

    name: str
    place: str
    help: str

    def load(self) -> click.Command:
        """Import it."""
        module, _, name = self.place.partition(":")
        found: click.Command = getattr(import_module(f"membench.cli.{module}"), name)
        return found


class Shell(Group):
    """A group whose errors are one line on standard error, and whose commands stand on shelves, by their titles."""

    def __init__(self, *given: Any, shelves: Mapping[str, Sequence[Shelved]], **more: Any):
        super().__init__(*given, **more)
        self.shelves = shelves

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, in the order of the shelves."""
        return [command.name for commands in self.shelves.values() for command in commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name; None for an unknown one."""
        every = [command for commands in self.shelves.values() for command in commands]
        return next((command.load() for command in every if command.name == cmd_name), None)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is typed; the nearest names where there is none."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            raise click.NoSuchCommand(error.command_name, possibilities=self.list_commands(ctx), ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each shelf, a line a command."""
        longest = max(map(len, self.list_commands(ctx)))
        for title, commands in self.shelves.items():
            with formatter.section(title):
                formatter.write_dl([(f"{command.name:{longest}}", command.help) for command in commands])

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
