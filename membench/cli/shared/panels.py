"""Help in panels: options under the headings of their kind, commands under those of their groups."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

OPTIONS = "Options"  # the panel of an option that names none


class Option(click.Option):
    """An option that knows under which heading help shows it."""

    def __init__(self, *names: Any, panel: str, **given: Any):
        super().__init__(*names, **given)
        self.panel = panel


class Command(click.Command):
    """A command whose help has a heading for each kind of options, in the order in which they are declared."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options."""
        write_panels(self, ctx, formatter)


class Group(click.Group):
    """A group whose help has its commands first, then its options under their headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, and below them the options."""
        self.format_commands(ctx, formatter)
        write_panels(self, ctx, formatter)


command = partial(click.command, cls=Command)


def in_panel(title: str) -> Callable[..., Callable[[F], F]]:
    """What declares options, as `click.option` does, under this heading."""
    return partial(click.option, cls=Option, panel=title)


def together(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Several options as one decorator; help has them in this order."""

    def declare(declared: F) -> F:
        for option in reversed(options):
            declared = option(declared)
        return declared

    return declare


def write_panels(of: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """A section of help for each panel; click's own options stand in the last one."""
    panels: dict[str, list[tuple[str, str]]] = {}
    last = OPTIONS
    for parameter in of.get_params(ctx):
        record = parameter.get_help_record(ctx)
        if record is None or isinstance(parameter, click.Argument):
            continue
        own = type(parameter) is click.Option and parameter not in of.params
        last = last if own else getattr(parameter, "panel", OPTIONS)
        panels.setdefault(last, []).append(record)
    for title, records in panels.items():
        with formatter.section(title):
            formatter.write_dl(records)
