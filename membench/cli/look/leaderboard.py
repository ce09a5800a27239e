"""The command that prints tables of stored cells, and the tables that a run ends with."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from membench.cli.shared import completion
from membench.cli.shared.filters import filters
from membench.cli.shared.folders import folders_argument, nothing_in, refuse_unknown_names
from membench.cli.shared.manners import common, like_terminal
from membench.cli.shared.options import listed
from membench.cli.shared.panels import command, in_panel, together
from membench.errors import MembenchError
from membench.formats import FORMATS
from membench.store.recipe import GOLD

if TYPE_CHECKING:
    from membench.tables.leaderboard import Table

_ROWS = ("json", "csv")
_BUDGETS = (
    "A budget, e.g. bytes=1e6: bytes of the whole memory; write-seconds, write-flops a context; read-seconds, "
    "read-tokens, read-flops, read-price, live-bytes a question."
)


_which, _shown = in_panel("Which tables"), in_panel("How they are shown")
table_options = together(
    filters,
    _which(
        "-m", "--method", metavar="NAMES", multiple=True, callback=listed, shell_complete=completion.plugins("methods"),
        help="Only these methods, floor and reference.",
    ),
    _which("--sort", metavar="METRIC", help="A metric (f1, contains/rehearsed) or a cost; else contains."),
    _which(
        "--against", metavar="METHOD", shell_complete=completion.plugins("methods"),
        help="Compare all with this one, declared beforehand.",
    ),
    _which("--at", multiple=True, metavar="COST=LIMIT", callback=listed, help=_BUDGETS),
)  # fmt: skip


@command()
@folders_argument
@table_options
@_shown(
    "--columns",
    multiple=True,
    callback=listed,
    metavar="NAMES",
    help="cost, quality, risk or all, or heads of columns (F1,recovery): a table for each task.",
)
@_shown("--settings", "by_settings", is_flag=True, help="A line for each setting of a method, not its own alone.")
@_shown("--explain", metavar="COLUMN", help="Say how to read a column, and nothing else.")
@_shown("--wide", is_flag=True, help="A row a method with all its numbers, as csv (or --format json).")
@_shown("--format", "form", type=click.Choice(FORMATS), help="By default rich on a terminal and md in a pipe.")
@common
def leaderboard(
    folders: tuple[Path, ...],
    form: str | None,
    columns: tuple[str, ...],
    by_settings: bool,
    explain: str | None,
    wide: bool,
    **chosen: Any,
) -> None:
    """Print tables of the cells stored in FOLDERS.

    A line a method, tasks side by side. -t TASK has more of one task, --columns other columns, --format json and csv
    every number.
    """
    if explain:
        from membench.overview.chosen_columns import explain as explained

        click.echo(explained(explain))
        return
    refuse_unknown_names(folders, chosen)
    from membench.analysis.several_folders import cells_of
    from membench.io.fast_json import no_collecting
    from membench.tables.leaderboard import tables

    form = _form(form, wide, columns)
    with no_collecting():  # all of it is needed until the end
        found = tables(cells_of(folders), **chosen)
        if not found:
            click.echo(nothing_in(folders), err=True)
        _print(found, form, columns, by_settings, wide, chosen["sort"], len(chosen["task"]) == 1)


def _form(form: str | None, wide: bool, columns: Sequence[str]) -> str:
    form = form or ("csv" if wide else "rich" if like_terminal() else "md")
    if wide and form not in _ROWS:
        raise MembenchError(f"--wide is for programs: type --format {' or '.join(_ROWS)}, not {form}")
    if columns and form in _ROWS:
        raise MembenchError(f"--format {form} has every column: leave --columns out, or type --format md or latex")
    return form


def _print(
    found: Sequence[Table],
    form: str,
    columns: Sequence[str] = (),
    by_settings: bool = False,
    wide: bool = False,
    sort: str | None = None,
    one_task: bool = False,
) -> None:
    from membench.formats.row_text import row_text
    from membench.overview.chosen_columns import chosen
    from membench.overview.lines import overviews, view
    from membench.overview.short_text import short_text
    from membench.overview.wide_rows import wide_rows
    from membench.tables.render import render

    width = shutil.get_terminal_size((80, 24)).columns
    if columns == ("all",) or (form in _ROWS and not wide):
        click.echo(render(found, form, width), nl=False)
        return
    if columns:
        picked = [(table, chosen(table, columns, sort)) for table in found]
        made = [view(table, by_settings, sort, those) for table, those in picked if those]
        if found and not made:
            raise MembenchError(f"no table here has {', '.join(columns)}: membench leaderboard --columns all shows all")
    elif one_task:
        made = [view(table, by_settings, sort) for table in found]
    else:
        made = overviews(found, by_settings, sort)
    if wide:
        click.echo(row_text(wide_rows(made), form), nl=False)
    else:
        click.echo(short_text(made, form, width, parts=bool(columns) or by_settings), nl=False)


def print_tables(results: Mapping[Path, Sequence[Mapping[str, Any]]], as_json: bool) -> None:
    """The tables that these results stand in, by the folder where they are stored."""
    from membench.store import cell_folder
    from membench.tables.leaderboard import tables

    found: list[Table] = []
    for output, those in results.items():
        played, tasks = {result["id"] for result in those}, _tasks(those)
        standing = [t for t in tables(cell_folder.cells(output)) if any(played.intersection(e.ids) for e in t.entries)]
        found += [table for table in standing if table.recipe["task"] in tasks]
    _print(found, "json" if as_json else _form(None, False, ()))


def _tasks(results: Sequence[Mapping[str, Any]]) -> set[str]:
    """The tasks played; the yardsticks' own script only where nothing else was."""
    tasks = {result["recipe"]["task"] for result in results}
    return tasks - {GOLD} or tasks
