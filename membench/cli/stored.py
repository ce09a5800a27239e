"""The commands that only read what is stored: show, verify, and the list of runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from membench.cli.shell import FAILED, PathType, common, print_json, print_table

if TYPE_CHECKING:
    from membench.store.cell_folder import Cell

F = TypeVar("F", bound=Callable[..., Any])

_FOLDER = PathType()


def output_option(command: F) -> F:
    """Where runs are stored."""
    return click.option(
        "-o",
        "--output",
        type=_FOLDER,
        default=Path("results"),
        envvar="MEMBENCH_OUTPUT_DIR",
        show_default=True,
        show_envvar=True,
        help="Folder of the stored cells.",
    )(command)


def folders_argument(command: F) -> F:
    """Where stored runs are read from: one folder, or several that are read as one."""
    default = (Path("results"),)
    return click.argument("folders", type=_FOLDER, nargs=-1, default=default, envvar="MEMBENCH_OUTPUT_DIR")(command)


def folders_option(command: F) -> F:
    """The same for a command whose arguments are something else."""
    option = click.option(
        "-o", "--output", "folders", type=_FOLDER, multiple=True, default=(Path("results"),), show_default="results",
        envvar="MEMBENCH_OUTPUT_DIR", show_envvar=True, help="Folder of the stored cells; several are read as one.",
    )  # fmt: skip
    return option(command)


def named(folders: Sequence[Path]) -> str:
    """The folders as a message has them."""
    return ", ".join(map(str, folders))


def refuse_unknown_names(folders: Sequence[Path], filters: Mapping[str, Any], *methods: str) -> None:
    """Refuse names of filters, and of methods or rows, that nothing has, before what makes tables is imported.

    Raises MembenchError.
    """
    from membench.analysis.known_names import refuse_unknown, refuse_unknown_rows

    refuse_unknown(folders, **{name: filters.get(name, ()) for name in ("task", "data", "model", "method")})
    refuse_unknown_rows(folders, [*methods, *([filters["against"]] if filters.get("against") else [])])


def sound_cells(*folders: Path) -> list[Cell]:
    """The stored cells, for a command that looks at records; of one that cannot be relied on, a line says why."""
    from membench.analysis.several_folders import cells_of
    from membench.store import cell_folder

    found = list(cell_folder.checked(cells_of(folders)))
    for cell in found:
        if cell.damage:
            click.echo(f"left out: {cell.damage}", err=True)
    return found


@click.command()
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
        print_json([{"cell": v.cell.folder.name, "ok": v.ok, "problems": list(v.problems)} for v in verdicts])
    else:
        for verdict in verdicts:
            click.echo(f"{'ok   ' if verdict.ok else 'WRONG'}  {verdict.cell.folder.name}")
            for problem in verdict.problems:
                click.echo(f"       {problem}")
        click.echo(f"{sum(v.ok for v in verdicts)} of {len(verdicts)} cells verified")
    if not all(v.ok for v in verdicts):
        ctx.exit(FAILED)


@click.command()
@click.argument("cell")
@output_option
@click.option(
    "-L", "--limit", metavar="N", type=click.IntRange(min=0), default=20, show_default=True, help="Answers; 0 for all."
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@common
def show(cell: str, output: Path, limit: int, as_json: bool) -> None:
    """Show one cell: settings, costs, targets, answers.

    CELL is its id, the beginning of it, or the name of its folder.
    """
    from membench.store import cell_folder
    from membench.store.costs import KINDS, token_lines

    found = cell_folder.find(output, cell)
    records = [] if "records_sha256" not in found.result else cell_folder.records_of(found)
    answers = [r for r in records if r["type"] == "answer"]
    shown = answers[: limit or None]
    targets = cell_folder.read_targets(found.folder)
    if as_json:
        pairs = {text: [[pair.question, pair.answer] for pair in those] for text, those in targets.items()}
        print_json({"folder": found.folder.name, **found.result, "targets": pairs, "answers": shown})
        return
    facts = {"folder": found.folder.name, "id": found.id, "status": found.status, "reason": found.result.get("reason")}
    remarks = found.result.get("endpoint") or {}
    own = {name: cost for name, cost in found.result["costs"].items() if name != "peak_bytes"}  # the process's
    for title, part in (("cell", facts), ("recipe", found.recipe), ("costs", own), ("endpoint", remarks)):
        if not part:
            continue
        print_table([title, ""], [[key, _flat(value)] for key, value in part.items() if value not in (None, {})])
        click.echo()
    if lines := token_lines(found.result.get("ledger") or {}):
        print_table(["tokens", "role", *KINDS], lines)
        click.echo()
    if targets:
        print_table(
            ["target sentence", "answer"], [[p.question, p.answer] for those in targets.values() for p in those]
        )
        click.echo()
    print_table(["written", "question", "accepted", "answer", "contains"], [_answer_row(record) for record in shown])
    if len(shown) < len(answers):
        click.echo(f"{len(answers) - len(shown)} more answers: -L 0 shows all")


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


def _answer_row(record: Mapping[str, Any]) -> list[str]:
    """Written: whether the memory had seen the answer when it was asked."""
    seen = 0 < record["position"] <= record["written"]
    contains = record["scores"].get("contains")
    return [
        "yes" if seen else "no",
        record["text"],
        " / ".join(record["gold"]),
        record["answer"],
        "" if contains is None else f"{contains:.2f}",
    ]


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={item}" for key, item in value.items())
    return f"{value:,.6g}" if isinstance(value, float) else str(value)
