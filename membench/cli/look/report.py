"""The command that writes the report page, or its figures as files."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Any

import click

from membench.cli.look.leaderboard import table_options
from membench.cli.shared.folders import folders_argument, nothing_in, refuse_unknown_names, sound_cells
from membench.cli.shared.manners import common
from membench.cli.shared.options import PathType
from membench.cli.shared.panels import command
from membench.errors import MembenchError


@command()
@folders_argument
@click.option("-o", "--output", type=PathType(), help="By default report.html; a folder figures for the others.")
@table_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["html", "pdf", "svg", "png"]),
    default="html",
    show_default=True,
    help="One page, or a folder with a file for each figure.",
)
@click.option("--open", "opened", is_flag=True, help="Show the page in the browser when it is written.")
@common
def report(folders: tuple[Path, ...], output: Path | None, form: str, opened: bool, **filters: Any) -> None:
    """Write a page of what the cells stored in FOLDERS show.

    The answer, tables, figures, every question with its answers, and where each number comes from; the page is one file
    and needs no network.
    """
    if opened and form != "html":
        raise MembenchError(f"--open shows the page, and --format {form} writes none: leave one of the two out")
    refuse_unknown_names(folders, filters)
    from membench.figures import write_figures
    from membench.io.extras import require
    from membench.report import write_page

    if form != "html":
        require("report", f"--format {form}")
    cells = sound_cells(*folders)
    if form == "html":
        path = output or Path("report.html")
        size = write_page(cells, path, **filters)
        if size:
            click.echo(f"{path}: {size / 1e6:.1f} MB")
            if opened and not webbrowser.open(path.resolve().as_uri()):
                click.echo(f"no browser found here: open {path} in one", err=True)
    else:
        path = output or Path("figures")
        size = len(write_figures(cells, path, form, **filters))
        if size:
            click.echo(f"{path}: {size} figures")
    if not size:
        click.echo(nothing_in(folders), err=True)
