"""The command that lists what there is: plug-ins, models, stored cells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from membench.cli.shared.folders import folders_behind, nothing_in
from membench.cli.shared.manners import common
from membench.cli.shared.panels import command
from membench.cli.shared.printing import print_json, print_table

KINDS = ("methods", "tasks", "data", "models")
RARE = ("licence", "error")  # what few plug-ins have


@command("ls")
@click.argument("what", type=click.Choice([*KINDS, "runs"]), required=False)
@folders_behind
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@common
def list_(what: str | None, folders: tuple[Path, ...], as_json: bool) -> None:
    """List methods, tasks, data, models or stored runs.

    Plug-ins with where they come from and, if one is broken, why; of runs those stored in FOLDERS. Without a word of
    what, the names of all that can be played.
    """
    if what is None:
        rows = [{"what": kind, "names": ", ".join(row["name"] for row in _rows(kind))} for kind in KINDS]
    else:
        rows = _stored(folders) if what == "runs" else _rows(what)
    if as_json:
        print_json(rows)
    elif not rows:
        click.echo(nothing_in(folders), err=True)
    else:
        head = list(rows[0])
        print_table(head, [["" if row[key] is None else str(row[key]) for key in head] for row in rows], RARE)


def _rows(kind: str) -> list[dict[str, Any]]:
    """A row for each plug-in of a kind, or for each packaged model."""
    if kind == "models":
        from membench.io import weights

        return [
            {"name": name, "state": "ready" if weights.fetched(name) else "not fetched", "summary": model.summary}
            for name, model in weights.packaged().items()
        ]
    from membench.plugins import registry

    shown = ("name", "origin", "summary", *(registry.FACTS if kind == "methods" else ()), "error")
    return [{key: getattr(entry, key) for key in shown} for entry in registry.listing(kind)]


def _stored(folders: Sequence[Path]) -> list[dict[str, Any]]:
    """A row for each stored cell."""
    from membench.analysis.several_folders import cells_of

    keys = ("task", "method", "data", "model", "seed")
    return [
        {
            "id": cell.id,
            **{key: cell.recipe[key] for key in keys},
            "status": cell.status,
            "reason": cell.result.get("reason"),
        }
        for cell in cells_of(folders)
    ]
