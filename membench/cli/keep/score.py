"""The command that scores stored answers anew."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from membench.cli.shared import completion
from membench.cli.shared.folders import output_option
from membench.cli.shared.judging import JUDGE_HELP, judging
from membench.cli.shared.manners import common
from membench.cli.shared.panels import command
from membench.cli.shared.printing import print_json, print_table
from membench.cli.shared.shell import FAILED
from membench.errors import MembenchError

if TYPE_CHECKING:
    from membench.analysis.rescore import Rescored


@command()
@click.argument("cells", nargs=-1, shell_complete=completion.cells)
@click.option("--all", "everything", is_flag=True, help="All cells that are done.")
@output_option
@click.option("--judge", metavar="openai:NAME", help=JUDGE_HELP)
@click.option("--base-url", metavar="URL", help="OpenAI-compatible endpoint of the judge.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@common
@click.pass_context
def score(
    ctx: click.Context, /, cells: tuple[str, ...], everything: bool, output: Path, judge: str | None,
    base_url: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Score stored answers anew, without a model.

    CELLS are ids, beginnings of them, or folder names. What another version of the metrics scored becomes a cell of its
    own; floor and reference of a cell are scored with it. Parts of a result that older cells lack, such as ledger and
    controls, are made of what is stored. Cells whose records are not those that their result was made of stay as they
    are, as do those that are being played: exit status 1.

    With --judge a model behind an endpoint judges the answers of `conversation`, too: columns beside the scores.
    """
    from membench.analysis.rescore import rescore

    _refuse_folders_of_cells(cells, everything, output)
    if everything and cells and Path(cells[0]).is_dir():
        raise MembenchError(f"--all is all cells of a folder, which -o names: membench score --all -o {cells[0]}")
    if everything == bool(cells):
        raise MembenchError(f"name cells or say --all: `membench ls runs {output}` lists them")
    with judging(judge, base_url) as asked:
        found = rescore(output, cells, asked)
    _tell(found, output)
    refused = any(r.refused for r in found)
    rows = [
        {"cell": r.cell.folder.name, "changed": r.changed, "made": list(r.made), "stored": r.folder.name}
        for r in found
        if not r.refused
    ]
    if as_json:
        print_json(rows)
    else:
        gone = "its data are not here"
        lines = [
            [str(gone if v is None else ", ".join(v) if isinstance(v, list) else v) for v in row.values()]
            for row in rows
        ]
        print_table(["cell", "answers changed", "parts made anew", "stored in"], lines)
    if refused:
        ctx.exit(FAILED)


def _refuse_folders_of_cells(cells: Sequence[str], everything: bool, output: Path) -> None:
    """Raise MembenchError for the path of a cell's folder where its name is wanted, or the folder that holds it."""
    from membench.store.cell_folder import RECIPE

    for path in (*map(Path, cells), *([output] if everything else [])):
        named = not everything and len(path.parts) == 1 and os.path.isdir(output / path)  # within the folder of all
        if os.path.isfile(path / RECIPE) and not named:
            whole = path if path.name else path.resolve()
            raise MembenchError(f"{path} is the folder of one cell: membench score -o {whole.parent} {whole.name}")


def _tell(found: Sequence[Rescored], output: Path) -> None:
    """What was left as it is, and what lost its yardsticks."""
    for r in found:
        if r.refused:
            click.echo(f"left as it is: {r.refused}", err=True)
    if dropped := sum(bool(r.dropped) for r in found):
        click.echo(
            f"{dropped} of the scored cells lost floor or reference: {output} has none of their ground that this "
            "version of the metrics scored",
            err=True,
        )
