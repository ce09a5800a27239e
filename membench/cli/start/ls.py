"""The command that lists what there is: plug-ins, models, stored cells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from membench.cli.shared.folders import output_option
from membench.cli.shared.printing import print_json, print_table
from membench.cli.shared.shell import common


@click.command("ls")
@click.argument("what", type=click.Choice(["methods", "tasks", "data", "models", "runs"]))
@output_option
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@common
def list_(what: str, output: Path, as_json: bool) -> None:
    """List methods, tasks, data, models or stored runs.

    Plug-ins with where they come from and, if one is broken, why.
    """
    if what == "runs":
        rows = stored_runs(output)
    elif what == "models":
        from membench.io import weights

        rows = [
            {"name": name, "state": "ready" if weights.fetched(name) else "not fetched", "summary": model.summary}
            for name, model in weights.packaged().items()
        ]
    else:
        from membench.plugins import registry

        shown = ("name", "origin", "summary", *(registry.FACTS if what == "methods" else ()), "error")
        rows = [{key: getattr(entry, key) for key in shown} for entry in registry.listing(what)]
    if as_json:
        print_json(rows)
    else:
        head = list(rows[0]) if rows else ["name"]
        print_table(head, [["" if row[key] is None else str(row[key]) for key in head] for row in rows])


def stored_runs(output: Path) -> list[dict[str, Any]]:
    """A row for each stored cell."""
    from membench.store import cell_folder

    keys = ("task", "method", "data", "model", "seed")
    return [
        {
            "id": cell.id,
            **{key: cell.recipe[key] for key in keys},
            "status": cell.status,
            "reason": cell.result.get("reason"),
        }
        for cell in cell_folder.cells(output)
    ]
