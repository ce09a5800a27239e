"""The commands that bring results of other harnesses into a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from membench.cli.shared.manners import common
from membench.cli.shared.options import PathType
from membench.cli.shared.panels import Command, Group
from membench.cli.shared.printing import print_json

if TYPE_CHECKING:
    from membench.imported.results import Results

F = TypeVar("F", bound=Callable[..., Any])
_FILE = PathType()


@click.group("import", cls=Group)
@common
def import_results() -> None:
    """Bring results of another harness into a folder.

    leaderboard, compare and report then say which differences are resolved. What one command names must be of the same
    items; items about one text are judged together.
    """


def _into(command: F) -> F:
    """The options that all of them have."""
    for option in (
        common,
        click.option("--json", "as_json", is_flag=True, help="Print as JSON."),
        click.option(
            "-o", "--output", type=PathType(), required=True, help="The folder that gets the cells; it may hold some."
        ),
    ):
        command = option(command)
    return command


@import_results.command("lm-eval", cls=Command)
@click.argument("samples", type=_FILE, nargs=-1, required=True)
@_into
def lm_eval(samples: tuple[Path, ...], output: Path, as_json: bool) -> None:
    """Samples of lm-eval (--log_samples).

    SAMPLES are files samples_TASK_DATE.jsonl, one a model and prompt; results_DATE.json is read where it lies beside.
    """
    from membench.imported.lm_eval import read_samples

    _bring_in([read_samples(str(path)) for path in samples], output, as_json)


@import_results.command("inspect", cls=Command)
@click.argument("logs", type=_FILE, nargs=-1, required=True)
@_into
def inspect_log(logs: tuple[Path, ...], output: Path, as_json: bool) -> None:
    """Logs of inspect, one a model (.eval or .json).

    Epochs count as seeds.
    """
    from membench.imported.inspect_log import read_log

    _bring_in([one for path in logs for one in read_log(str(path))], output, as_json)


@import_results.command("csv", cls=Command)
@click.argument("file", type=_FILE)
@_into
def csv_table(file: Path, output: Path, as_json: bool) -> None:
    """A table of your own, a row a method and item.

    FILE is CSV with the columns item, method, score and, where there are any, context (the text that items share) and
    seed.
    """
    from membench.imported.csv_table import read_csv

    _bring_in(read_csv(str(file)), output, as_json)


def _bring_in(results: list[Results], output: Path, as_json: bool) -> None:
    from membench.analysis.import_results import bring_in

    brought = bring_in(results, output)
    for line in brought.left_out:
        click.echo(line, err=True)
    if as_json:
        names = {"written": brought.written, "there": brought.there}
        print_json({key: [path.name for path in paths] for key, paths in names.items()})
    else:
        stored, there, items = len(brought.written), len(brought.there), len(results[0].items)
        count = f"{stored} result{'s'[: stored != 1]} on {items} item{'s'[: items != 1]}"
        click.echo(f"{count} stored in {output}, {there} {'was' if there == 1 else 'were'} there already")
