"""The command that recomputes every stored number."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from membench.cli.shared.folders import folders_argument, nothing_in
from membench.cli.shared.manners import common
from membench.cli.shared.panels import command
from membench.cli.shared.printing import print_json, print_table
from membench.cli.shared.shell import FAILED

SHOWN = 3  # of what does not come out of one cell


@command()
@folders_argument
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@common
@click.pass_context
def verify(ctx: click.Context, /, folders: tuple[Path, ...], as_json: bool) -> None:
    """Recompute every stored number from its records.

    Exit status 1 if one stored in FOLDERS does not come out.
    """
    from membench.analysis.verify import verify as recompute

    verdicts = recompute(*folders)
    if as_json:
        print_json([
            {"cell": v.cell.folder.name, "folder": str(v.cell.folder), "ok": v.ok, "problems": list(v.problems)}
            for v in verdicts
        ])  # fmt: skip
    elif not verdicts:
        click.echo(nothing_in(folders), err=True)
    else:
        several = len(set(folders)) > 1  # a copy may have the name of the sound one
        rows = [
            ["ok" if v.ok else "WRONG", str(v.cell.folder) if several else v.cell.folder.name, _brief(v.problems)]
            for v in verdicts
        ]
        print_table(["", "cell", "what does not come out"], rows)
        click.echo(f"{sum(v.ok for v in verdicts)} of {len(verdicts)} cells verified")
    if not all(v.ok for v in verdicts):
        ctx.exit(FAILED)


def _brief(problems: Sequence[str]) -> str:
    more = len(problems) - SHOWN
    return "; ".join((*problems[:SHOWN], *([f"and {more} more: --json lists all"] if more > 0 else [])))
