"""The command that plays a method against the contract."""

from __future__ import annotations

import click

from membench.cli.shared import completion
from membench.cli.shared.manners import common
from membench.cli.shared.panels import command
from membench.cli.shared.printing import print_json, print_table
from membench.cli.shared.shell import FAILED


@command()
@click.argument("method", shell_complete=completion.plugins("methods"))
@click.option("-M", "method_settings", multiple=True, metavar="KEY=VALUE", help="A setting, e.g. epochs=1.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@common
@click.pass_context
def check(ctx: click.Context, /, method: str, method_settings: tuple[str, ...], as_json: bool) -> None:
    """Play METHOD against the contract on a tiny model. Exit status 1 if a point of it does not hold."""
    from membench.plugins import registry

    registry.require("methods", [method])
    from membench.plugins.conformance import check as play

    points = play(method, method_settings)
    if as_json:
        print_json([{"check": point.name, "ok": point.ok, "detail": point.detail} for point in points])
    else:
        rows = [["PASS" if point.ok else "FAIL", point.name, point.detail] for point in points]
        print_table(["", "point of the contract", "what was found"], rows)
    if not all(point.ok for point in points):
        ctx.exit(FAILED)
