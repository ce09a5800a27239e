"""The command that tells what this machine has and what it lacks."""

from __future__ import annotations

import click

from membench.cli.shared import completion
from membench.cli.shared.manners import common
from membench.cli.shared.panels import command
from membench.cli.shared.printing import print_json, print_table


@command()
@click.option(
    "--fetch",
    metavar="MODEL",
    shell_complete=completion.models,
    help="Fetch a model into the cache: an alias or a hub id.",
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@common
def doctor(fetch: str | None, as_json: bool) -> None:
    """Versions, devices, caches, and how to get what is missing."""
    if fetch:
        from membench.io import weights

        click.echo(weights.resolve(fetch))
        return
    from membench.cli.start.machine import report

    found = report()
    if as_json:
        print_json(found)
        return
    rows = [[name, str(version)] for name, version in found["versions"].items()]
    rows += [["machine", found["machine"]]]
    rows += [[d["device"], ", ".join(f"{k} {v}" for k, v in d.items() if k != "device")] for d in found["devices"]]
    rows += [[f"cache of {name}", path] for name, path in found["caches"].items()]
    rows += [[f"model {name}", state] for name, state in found["models"].items()]
    print_table(["what", "found"], rows)
    for line in found["missing"]:
        click.echo(f"missing: {line}")
