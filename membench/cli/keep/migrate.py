"""The command that brings stored cells of earlier versions to recipes of today."""

from __future__ import annotations

from pathlib import Path

import click

from membench.cli.shared.manners import common, note
from membench.cli.shared.options import PathType
from membench.cli.shared.panels import command
from membench.cli.shared.printing import print_json, print_table
from membench.cli.shared.shell import FAILED


@command()
@click.argument("folder", type=PathType(file_okay=False))
@click.option(
    "--model", "models", multiple=True, metavar="FOLDER", type=PathType(),
    help="A folder that cells were played with, beside the packaged models and the hub's cache.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@common
@click.pass_context
def migrate(ctx: click.Context, /, folder: Path, models: tuple[Path, ...], as_json: bool) -> None:
    """Give cells of earlier versions what their recipes lack.

    Those in FOLDER, which are not played anew. Recipes of earlier versions do not say what stands beside a model's
    weights (configuration, tokenizer), so that `run` does not take their cells as done. It is read from the models at
    hand; have them as they were when the cells were played. Exit status 1 if a cell was left as it was.
    """
    from membench.analysis.migrate import LEFT
    from membench.analysis.migrate import migrate as bring

    rows = []
    for cell in bring(folder, models):
        rows.append({"before": cell.before.name, "now": cell.folder.name, "state": cell.state, "reason": cell.reason})
        note(f"{cell.before.name}: {cell.state}")
    if as_json:
        print_json(rows)
    else:
        print_table(["before", "now", "state", "reason"], [[value or "" for value in row.values()] for row in rows])
    if any(row["state"] == LEFT for row in rows):
        ctx.exit(FAILED)
