"""The command that writes files for other tools."""

from __future__ import annotations

from pathlib import Path

import click

from membench.cli.shared.folders import folders_behind, sound_cells
from membench.cli.shared.manners import common
from membench.cli.shared.options import PathType
from membench.cli.shared.panels import command
from membench.cli.shared.printing import print_json
from membench.cli.shared.shell import FAILED


@command()
@click.argument("file", type=PathType(dir_okay=False))
@folders_behind
@click.option(
    "--form",
    default="tidy",
    show_default=True,
    metavar="tidy|model-index|lm-eval",
    help="Rows of answers and scores (.csv, .parquet), a model card's metadata (.yaml, .json), lm-eval's (.json).",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
@common
@click.pass_context
def export(ctx: click.Context, /, file: Path, folders: tuple[Path, ...], form: str, as_json: bool) -> None:
    """Write all that is stored to FILE, for other tools.

    Exit status 1 if a cell was left out because it cannot be relied on.
    """
    from membench.analysis.export import export as write

    cells = sound_cells(*folders)
    count = write(cells, file, form)
    if as_json:
        print_json({"file": str(file), "form": form, "count": count})
    else:
        click.echo(f"{count} {'rows' if form == 'tidy' else 'values'} in {file}")
    if any(cell.damage for cell in cells):
        ctx.exit(FAILED)
