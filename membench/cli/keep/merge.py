"""The command that brings the cells of several folders into one."""

from __future__ import annotations

from pathlib import Path

import click

from membench.cli.shared.manners import common
from membench.cli.shared.options import PathType
from membench.cli.shared.panels import command
from membench.cli.shared.printing import print_json
from membench.cli.shared.shell import FAILED

_FOLDER = PathType()


@command()
@click.argument("folders", type=_FOLDER, nargs=-1, required=True)
@click.option("-o", "--output", type=_FOLDER, required=True, help="The folder that gets all cells; it may hold some.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@common
@click.pass_context
def merge(ctx: click.Context, /, folders: tuple[Path, ...], output: Path, as_json: bool) -> None:
    """Copy the cells stored in FOLDERS into one folder.

    FOLDERS stay as they are. A cell that stands in several of them is copied once if its records are the same, seconds
    and memory in use apart; else nothing is written. What is not finished is left out. The same command again goes on
    where it was stopped. Exit status 1 if a cell was left out because it cannot be relied on.
    """
    from membench.analysis.merge import merge as bring

    merged = bring(folders, output)
    for line in merged.left_out:
        click.echo(f"left out: {line}", err=True)
    if count := len(merged.unfinished):
        found = "1 cell was not finished and is" if count == 1 else f"{count} cells were not finished and are"
        roots = dict.fromkeys(folder.parent for folder in merged.unfinished)
        where = ", ".join(f"`membench status {root}`" for root in roots)
        click.echo(f"{found} left out: {where} {'says' if len(roots) == 1 else 'say'} how far", err=True)
    if as_json:
        names = {"written": merged.written, "there": merged.there, "unfinished": merged.unfinished}
        listed: dict[str, list[str]] = {key: [path.name for path in paths] for key, paths in names.items()}
        print_json({**listed, "left_out": list(merged.left_out)})
    else:
        click.echo(f"{len(merged.written)} cells copied to {output}, {len(merged.there)} were there already")
    if merged.left_out:
        ctx.exit(FAILED)
