"""`membench run --dry-run`: the cells, what would be fetched, and what the stored cells say about time and memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import click

from membench import store, weights
from membench.cli_shell import print_json, print_table
from membench.plan import ModelInfo, Planned, Request, encoders_of, plan

UNKNOWN = "unknown until the model is fetched"


def print_plan(options: Mapping[str, Any], as_json: bool) -> None:
    """Show what `membench run` with these options would do, without fetching or playing anything."""
    request = Request(**options)
    missing = request.model in weights.ALIASES and not weights.fetched(request.model)
    if missing:
        style = request.style or weights.style(request.model)
        cells = plan(request, ModelInfo(request.model, "", UNKNOWN, request.dtype, style), UNKNOWN)
        done: set[str] = set()
    else:
        from membench.runner import plan_cells

        cells, done = plan_cells(request)
    rows = [_row(cell, cell.recipe_id in done, list(_alike(cell, request.output))) for cell in cells]
    known = weights.packaged()
    wanted = [name for name in (request.model, *encoders_of(cells)) if name in known and not weights.fetched(name)]
    to_fetch = {name: f"{name}: {known[name].summary}" for name in wanted}
    if as_json:
        print_json({"cells": rows, "fetch": list(to_fetch.values())})
        return
    head = list(rows[0])
    print_table(head, [["" if row[key] is None else str(row[key]) for key in head] for row in rows])
    for name, line in to_fetch.items():
        click.echo(f"to fetch: {line} (`membench doctor --fetch {name}`)")
    timed = [row["seconds"] for row in rows if row["state"] != "done" and row["seconds"] is not None]
    unknown = len(rows) - len(done) - len(timed)
    parts = [f"{len(rows)} cells, {len(done)} of them done"]
    parts += [f"about {sum(timed) / 60:.0f} min for {len(timed)} of them"] if timed else []
    parts += [f"no estimate for {unknown}: nothing like them is stored"] if unknown else []
    click.echo("; ".join(parts))


def _row(cell: Planned, done: bool, alike: list[Mapping[str, Any]]) -> dict[str, Any]:
    """One cell; seconds and memory as the stored cells of the same method, task and model needed them."""
    steps = [step for episode in cell.task.episodes(cell.data, cell.recipe["seed"]) for step in episode.steps]
    costs = [result["costs"] for result in alike]
    peaks = [c["peak_bytes"] for c in costs if c.get("peak_bytes")]
    return {
        "method": cell.recipe["method"],
        "task": cell.recipe["task"],
        "data": cell.recipe["data"],
        "model": cell.recipe["model"],
        "seed": cell.recipe["seed"],
        "contexts": len(cell.data.contexts),
        "steps": len(steps),
        "state": "done" if done else "to play",
        "seconds": 0 if done else _seconds(cell, alike),
        "peak_GB": round(median(peaks) / 1e9, 1) if peaks else None,
    }


def _seconds(cell: Planned, alike: list[Mapping[str, Any]]) -> int | None:
    """Wall time of a cell like this one, by the stored cells' seconds a context."""
    rates = [_spent(result) / result["recipe"]["limit"] for result in alike]
    return round(median(rates) * len(cell.data.contexts)) if rates else None


def _spent(result: Mapping[str, Any]) -> float:
    return (datetime.fromisoformat(result["finished"]) - datetime.fromisoformat(result["started"])).total_seconds()


def _alike(cell: Planned, output: Path) -> Iterator[Mapping[str, Any]]:
    """The stored results of the same method, task and model."""
    same = ("method", "task", "model", "dtype")
    for stored in store.cells(output) if output.is_dir() else ():
        if stored.status == "done" and all(stored.recipe[key] == cell.recipe[key] for key in same):
            yield stored.result
