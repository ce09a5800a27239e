"""The command line, thin: every command is a call of the package and a table of what it returned."""

from __future__ import annotations

from pathlib import Path

import click

from membench.cli.decide import advise, compare
from membench.cli.documents import demo, questions
from membench.cli.export_score import export, score
from membench.cli.leaderboard import leaderboard
from membench.cli.merge import merge
from membench.cli.migrate import migrate
from membench.cli.report import report
from membench.cli.run import run
from membench.cli.shell import FAILED, Shell, common, print_json, print_table
from membench.cli.status import status
from membench.cli.stored import output_option, show, stored_runs, verify
from membench.cli.train_memory import train_memory


@click.group(
    cls=Shell,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "token_normalize_func": lambda token: token.replace("_", "-"),
        "max_content_width": 110,
    },
)
@click.version_option(package_name="membench")
@common
def main() -> None:
    """Which memory should a language model have? Methods, tasks and tables through one interface."""


for command in (
    demo, questions, run, leaderboard, report, compare, advise, show, train_memory, verify, export, score, merge,
    status, migrate,
):  # fmt: skip
    main.add_command(command)


@main.command("ls")
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


@main.command()
@click.argument("method")
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
    for point in () if as_json else points:
        click.echo(f"{'PASS' if point.ok else 'FAIL'}  {point.name}{': ' if point.detail else ''}{point.detail}")
    if not all(point.ok for point in points):
        ctx.exit(FAILED)


@main.command()
@click.option("--fetch", metavar="MODEL", help="Fetch a model into the cache: an alias or a hub id.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@common
def doctor(fetch: str | None, as_json: bool) -> None:
    """Versions, devices, caches, and how to get what is missing."""
    if fetch:
        from membench.io import weights

        click.echo(weights.resolve(fetch))
        return
    from membench.cli.doctor import report

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
