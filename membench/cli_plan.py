"""`membench run --dry-run`: the cells, what would be fetched, and how long it takes with how much memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from membench import weights
from membench.api import Ask, Write
from membench.cli_shell import print_json, print_table
from membench.errors import standing_at
from membench.estimate import Estimator
from membench.forecast import spell
from membench.plan import ModelInfo, Planned, Request, encoders_of, plan
from membench.turns import share

UNKNOWN = "unknown until the model is fetched"


def print_plan(requests: Sequence[Request], as_json: bool) -> None:
    """Show what `membench run` would do with these requests, without fetching or playing anything."""
    rows: list[dict[str, Any]] = []
    wanted: dict[str, str] = {}
    planned = [_planned(request) for request in requests]
    shares = share([(request.output, *found[:2]) for request, found in zip(requests, planned, strict=True)])
    for request, (_, done, path), cells in zip(requests, planned, shares, strict=True):
        estimator = Estimator.of(request.output, request.device)
        rows += [_row(cell, cell.recipe_id in done, estimator, path) for cell in cells]
        known = weights.packaged()
        names = [n for n in (request.model, *encoders_of(cells)) if n in known and not weights.fetched(n)]
        wanted |= {name: f"{name}: {known[name].summary}" for name in names}
    if as_json:
        print_json({"cells": rows, "fetch": list(wanted.values())})
        return
    head = [name for name in rows[0] if name != "rough"]
    print_table(head, [["" if row[key] is None else str(row[key]) for key in head] for row in rows])
    for name, line in wanted.items():
        click.echo(f"to fetch: {line} (`membench doctor --fetch {name}`)")
    click.echo("; ".join(_sums(rows)))


def _planned(request: Request) -> tuple[list[Planned], set[str], Path | None]:
    """The cells, the ids of those that are done, and the folder of the model if it is there."""
    if request.model in weights.ALIASES and not weights.fetched(request.model):
        model = ModelInfo(request.model, "", UNKNOWN, request.dtype, request.style or weights.style(request.model))
        with standing_at(request.place):
            return plan(request, model, UNKNOWN), set(), None
    from membench.runner import plan_cells

    cells, done = plan_cells(request)
    return cells, done, weights.resolve(request.model, request.offline)


def _row(cell: Planned, done: bool, estimator: Estimator, path: Path | None) -> dict[str, Any]:
    """One cell; what it will take, and what says so."""
    steps = [step for episode in cell.task.episodes(cell.data, cell.recipe["seed"]) for step in episode.steps]
    found = estimator.estimate(cell, path)
    return {
        **{name: cell.recipe[name] for name in ("method", "task", "data", "model", "seed")},
        "contexts": len(cell.data.contexts),
        "writes": sum(isinstance(step, Write) for step in steps),
        "questions": sum(len(step.questions) for step in steps if isinstance(step, Ask)),
        "state": "done" if done else "to play",
        "seconds": 0 if done else None if found.seconds is None else round(found.seconds),
        "peak_GB": None if found.peak_bytes is None else round(found.peak_bytes / 1e9, 1),
        "estimate": "" if done else found.source,
        "rough": found.rough and not done,
    }


def _sums(rows: Sequence[dict[str, Any]]) -> list[str]:
    left = [row for row in rows if row["state"] != "done"]
    timed = [row for row in left if row["seconds"] is not None]
    rough = sum(row["rough"] for row in timed)
    parts = [f"{len(rows)} cells, {len(rows) - len(left)} of them done"]
    if timed:
        said = f"about {spell(sum(row['seconds'] for row in timed))} for {len(timed)} of them"
        parts.append(said + (f" (roughly: {rough} by another machine's seconds)" if rough else ""))
    if len(left) > len(timed):
        parts.append(f"no estimate for {len(left) - len(timed)}: nothing like them is stored")
    return parts
