"""How much is said, and how: the options that every command has, and what follows from them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from membench.cli.shared.panels import in_panel

if TYPE_CHECKING:
    from rich.console import Console

F = TypeVar("F", bound=Callable[..., Any])

EVERYWHERE = "Everywhere"  # the panel of the options that every command has
_DEBUG, _QUIET, _VERBOSE = "membench.debug", "membench.quiet", "membench.verbose"


def common(command: F) -> F:
    """The options that every command has; what is said before the command's name holds too."""
    option = in_panel(EVERYWHERE)
    given = {"expose_value": False, "is_eager": True}
    flag = {**given, "is_flag": True}
    options = (
        option("-q", "--quiet", callback=_remember(_QUIET), help="Results and errors alone.", **flag),
        option("-v", "--verbose", callback=_remember(_VERBOSE), help="Each step that is played, too.", **flag),
        option(
            "--color", type=click.Choice(["auto", "always", "never"]), callback=_colour, show_default=False, **given,
            help="auto: on a terminal, unless NO_COLOR is set; FORCE_COLOR is always.",
        ),
        option("--debug", callback=_remember(_DEBUG), help="Show tracebacks of errors.", **flag),
    )  # fmt: skip
    for one in reversed(options):
        command = one(command)
    return command


def debugging(ctx: click.Context) -> bool:
    """Whether --debug was given."""
    return bool(ctx.meta.get(_DEBUG))


def note(text: str) -> None:
    """A line on standard error about what goes on; with -q none."""
    if not _said(_QUIET):
        click.echo(text, err=True)


def verbose() -> bool:
    """Whether each step is said."""
    return _said(_VERBOSE)


def like_terminal() -> bool:
    """Whether standard output is shown as on a terminal: because it is one, or because colours are wanted always."""
    return sys.stdout.isatty() or bool(_colours())


def progress_console() -> Console:
    """Where progress goes: standard error, on which nothing moves unless it is a terminal; with -q nowhere."""
    from rich.console import Console

    colours = _colours()
    return Console(
        stderr=True, quiet=_said(_QUIET), force_terminal=True if colours else None, no_color=colours is False,
        color_system=None if colours is False else "auto", force_interactive=None if sys.stderr.isatty() else False,
    )  # fmt: skip


def _remember(name: str) -> Callable[[click.Context, click.Parameter, bool], None]:
    def callback(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        ctx.meta[name] = value or ctx.meta.get(name, False)
        if ctx.meta.get(_QUIET) and ctx.meta.get(_VERBOSE):
            raise click.UsageError("-q and -v: say one of the two", ctx)

    return callback


def _colour(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    """What `click.echo` goes by: True has colours everywhere, False nowhere, None on terminals."""
    if value in ("always", "never"):
        ctx.color = value == "always"
    elif value or ctx.parent is None:
        forced = os.environ.get("FORCE_COLOR", "") not in ("", "0")
        ctx.color = False if os.environ.get("NO_COLOR") else True if forced else None


def _colours() -> bool | None:
    ctx = click.get_current_context(silent=True)
    return None if ctx is None else ctx.color


def _said(name: str) -> bool:
    ctx = click.get_current_context(silent=True)
    return ctx is not None and bool(ctx.meta.get(name))
