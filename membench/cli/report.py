"""The command that writes the report page, or its figures as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from membench.cli.leaderboard import table_options
from membench.cli.shell import common
from membench.cli.stored import folders_argument, named, refuse_unknown_names, sound_cells


@click.command()
@folders_argument
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="By default report.html; figures for svg and png."
)
@table_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["html", "svg", "png"]),
    default="html",
    show_default=True,
    help="One page, or a folder with a file for each figure.",
)
@common
def report(folders: tuple[Path, ...], output: Path | None, form: str, **filters: Any) -> None:
    """Write one self-contained page of what the cells stored in FOLDERS show.

    Tables, figures, every answer, and where each number comes from; the page needs no network.
    """
    refuse_unknown_names(folders, filters)
    from membench.io.extras import require
    from membench.report import write_figures, write_page

    require("report", "the report")
    cells = sound_cells(*folders)
    if form == "html":
        path = output or Path("report.html")
        size = write_page(cells, path, **filters)
        if size:
            click.echo(f"{path}: {size / 1e6:.1f} MB")
    else:
        path = output or Path("figures")
        size = len(write_figures(cells, path, form, **filters))
        if size:
            click.echo(f"{path}: {size} figures")
    if not size:
        click.echo(f"nothing stored in {named(folders)} matches", err=True)
