"""The command that shows one stored cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from membench.cli.shared import completion
from membench.cli.shared.folders import folders_behind
from membench.cli.shared.manners import common
from membench.cli.shared.panels import command
from membench.cli.shared.printing import print_json, print_table


@command()
@click.argument("cell", shell_complete=completion.cells)
@folders_behind
@click.option(
    "-L",
    "--limit",
    metavar="N",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="Answers and target sentences; 0 for all.",
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@common
def show(cell: str, folders: tuple[Path, ...], limit: int, as_json: bool) -> None:
    """Show one cell: settings, costs, targets, answers.

    CELL is its id, the beginning of it, or its folder: the name, or the path to it.
    """
    from membench.analysis.several_folders import find
    from membench.imported.task import IMPORTED
    from membench.store import cell_folder
    from membench.store.costs import COSTS, KINDS, token_lines

    found = find(folders, cell)
    from membench.tables.formatting import size  # scipy comes with it: not to say that there is no such cell

    none = found.status != "done" and "records_sha256" not in found.result
    records = [] if none else cell_folder.records_of(found)
    answers = [r for r in records if r["type"] == "answer"]
    shown = answers[: limit or None]
    targets = cell_folder.sound_targets(found.folder, found.result)
    if as_json:
        pairs = {text: [[pair.question, pair.answer] for pair in those] for text, those in targets.items()}
        print_json({"folder": found.folder.name, **found.result, "targets": pairs, "answers": shown})
        return
    facts = {"folder": found.folder.name, "id": found.id, "status": found.status, "reason": found.result.get("reason")}
    remarks = found.result.get("endpoint") or {}
    in_bytes = {spec.name for spec in COSTS if spec.unit == "B"}
    own = {name: cost for name, cost in found.result["costs"].items() if name != "peak_bytes"}  # the process's
    costs = {name: size(cost) if name in in_bytes and cost is not None else cost for name, cost in own.items()}
    parts = (("cell", facts), ("recipe", _chosen(found.recipe)), ("costs", costs), ("endpoint", remarks))
    for title, part in parts:
        if not part:
            continue
        print_table([title, ""], [[key, _flat(value)] for key, value in part.items() if value not in (None, {})])
        click.echo()
    if lines := token_lines(found.result.get("ledger") or {}):
        print_table(["tokens", "role", *KINDS], lines)
        click.echo()
    if sentences := [[pair.question, pair.answer] for those in targets.values() for pair in those]:
        print_table(["target sentence", "answer"], sentences[: limit or None])
        if limit and len(sentences) > limit:
            click.echo(f"{len(sentences) - limit} more target sentences: -L 0 shows all")
        click.echo()
    scores = found.recipe["task_settings"]["scores"] if found.recipe["task"] == IMPORTED else ["contains"]
    print_table(["written", "question", "accepted", "answer", *scores], [_answer_row(r, scores) for r in shown])
    if len(shown) < len(answers):
        click.echo(f"{len(answers) - len(shown)} more answers: -L 0 shows all")


def _answer_row(record: Mapping[str, Any], scores: Sequence[str]) -> list[str]:
    """Written: whether the memory had seen the answer when it was asked."""
    seen = 0 < record["position"] <= record["written"]
    return [
        "yes" if seen else "no",
        record["text"],
        " / ".join(record["gold"]),
        record["answer"],
        *(f"{record['scores'][name]:.2f}" if name in record["scores"] else "" for name in scores),
    ]


def _chosen(recipe: Mapping[str, Any]) -> Mapping[str, Any]:
    """A recipe with the settings that are not at their default in place of all defaults."""
    defaults = recipe.get("defaults", {})
    own = {name: value for name, value in recipe["settings"].items() if value != defaults.get(name)}
    return {("not default" if k == "defaults" else k): (own if k == "defaults" else v) for k, v in recipe.items()}


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={item}" for key, item in value.items())
    return f"{value:,.6g}" if isinstance(value, float) else str(value)
