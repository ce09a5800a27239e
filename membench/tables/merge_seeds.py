"""From stored cells to the entries of a table: cells that differ in their seed alone become one."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

from membench.imported.rows import imported_name, imported_origin
from membench.imported.task import IMPORTED
from membench.store.cell_folder import Cell
from membench.store.recipe import FLOOR, REFERENCE, trained_on_its_data
from membench.tables.catalogue import COSTS, declared_of
from membench.tables.entry import Entry, Summary
from membench.views import BASELINES

MARKS = {FLOOR: "floor", REFERENCE: "reference"}
SECONDS = frozenset(spec.name for spec in COSTS.values() if spec.unit == "s")
_DRAWN = "drift"  # of a recipe's sources: the test sets that the seed draws
ADDED = tuple(spec.name for spec in COSTS.values() if spec.derived)  # to costs, by the ledger


def origin(recipe: Mapping[str, Any], among: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """What a method was made from (files, encoders, writers): the same for all seeds, else they are no seeds of one.

    What the seed itself draws is left out. `among` are the recipes of the table, which tell of imported results.
    """
    if recipe["task"] == IMPORTED:
        return imported_origin(recipe, among)
    found: Mapping[str, Any] = recipe.get("sources") or {}
    return {name: part for name, part in found.items() if name != _DRAWN}


def _origin_hash(recipe: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(origin(recipe), sort_keys=True).encode()).hexdigest()[:8]


APART = ("version", "sources")  # what stands among a row's settings and is none: see told_apart


def told_apart(recipe: Mapping[str, Any], among: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What tells a row apart, among these recipes, from others of its method: its version, and what it was made from.

    The latter is a hash of the recipe's sources, told where other cells have the same settings and other sources.
    """
    rivals = [r for r in among if r["method"] == recipe["method"]]
    same = [r for r in rivals if r["settings"] == recipe["settings"]]
    version = {"version": recipe["method_version"]} if len({r["method_version"] for r in rivals}) > 1 else {}
    return version | ({"sources": _origin_hash(recipe)} if len(set(map(_origin_hash, same))) > 1 else {})


def entry_of(
    cells: Sequence[Cell], shared: Mapping[str, Summary], asked: int, among: Sequence[Mapping[str, Any]] = ()
) -> Entry:
    """Cells that differ in their seed alone; `shared` are the table's yardsticks, for cells played without.

    `among` are the recipes of the table, which the row is told apart from.
    """
    first = cells[0]
    recipe, done = first.recipe, first.status == "done"
    imported = recipe["task"] == IMPORTED
    own = {**shared, **(first.result.get("yardsticks") or {})}
    return Entry(
        method=imported_name(recipe, among) if imported else recipe["method"],
        settings={} if imported else _settings(recipe, among),
        seeds=tuple(c.recipe["seed"] for c in cells),
        ids=tuple(c.id for c in cells),
        status=first.status,
        reason=first.result.get("reason"),
        summaries=tuple(c.result["summary"] | _controls(c).get("metrics", {}) for c in cells) if done else (),
        floor=own.get(FLOOR, {}),
        reference=own.get(REFERENCE, {}),
        costs=_mean_costs(cells) if done else {},
        contexts=first.result["counts"]["contexts"],
        questions=asked,
        coverage=fmean(c.result["counts"]["answered"] / asked for c in cells) if asked else None,
        leak=(first.result.get("audit") or {}).get("leak_rate"),
        needed=_needed(first),
        title=None if imported else _title(first),
        declared=declared_of(recipe),
    )


def _settings(recipe: Mapping[str, Any], among: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The settings that are no defaults, and what else tells the row apart."""
    defaults = recipe.get("defaults", {})
    own = {k: v for k, v in recipe["settings"].items() if k not in defaults or defaults[k] != v}
    return own | told_apart(recipe, among)


def _title(cell: Cell) -> str | None:
    """What the method calls itself; with a mark where it declares to have been trained on the very data."""
    own: str | None = cell.result.get("label")
    seen = trained_on_its_data(cell.recipe)
    return f"{own or cell.recipe['method']} (trained on {seen})" if seen else own


def yardstick(name: str, shared: Mapping[str, Summary], golds: Sequence[Cell]) -> Entry:
    """Floor or reference as the table's task sums it up; its costs are those of its own cell, if that is certain."""
    here = [c for c in golds if c.recipe["method"] == name]
    cell = here[0] if len(here) == 1 else None
    counts = cell.result["counts"] if cell else {"contexts": None, "questions": None, "answered": None}
    return Entry(
        method=name, settings={}, seeds=(0,), ids=(cell.id,) if cell else (), status="done", reason=None,
        summaries=(shared[name],), floor=shared.get(FLOOR, {}), reference=shared.get(REFERENCE, {}),
        costs=_mean_costs([cell]) if cell else {}, contexts=counts["contexts"], questions=counts["questions"],
        coverage=counts["answered"] / counts["questions"] if counts["questions"] else None, mark=MARKS[name],
    )  # fmt: skip


def baselines(entries: Sequence[Entry]) -> list[Entry]:
    """Rows for what needs no model, from the views in which a task sums it up; any cell of a table has the same."""
    found: dict[str, Entry] = {}
    for view, entry in itertools.product(BASELINES, entries):
        own = (*entry.summaries, {})[0]
        metrics = {name.removesuffix(view) + "all": own[name] for name in own if name.endswith(f"/{view}")}
        if metrics and view not in found:
            plain = replace(entry, method=view, settings={}, seeds=(0,), ids=(), summaries=(metrics,), costs={})
            found[view] = replace(plain, coverage=None, mark="no model", title=None)
    return list(found.values())


def _controls(cell: Cell) -> Mapping[str, Any]:
    found: Mapping[str, Any] = cell.result.get("controls") or {}
    return found


def _needed(cell: Cell) -> tuple[int, int] | None:
    """How many questions need the memory, and how many there are."""
    controls = _controls(cell)
    return (controls["sizes"]["need"], controls["questions"]) if "need" in controls.get("sizes", ()) else None


def _mean_costs(cells: Sequence[Cell]) -> dict[str, float | None]:
    costs: list[dict[str, Any]] = [
        {**c.result["costs"], **_per_unit(c.result.get("ledger") or {}), "live_bytes": _live(c)} for c in cells
    ]
    alone = [c for c in costs if not c.get("beside")]  # whose seconds stand for all, where there are any
    found: dict[str, list[Any]] = {
        name: [c.get(name) for c in (alone if alone and name in SECONDS else costs)]
        for name in sorted(set().union(*costs))
    }
    means = {name: None if None in those else fmean(those) for name, those in found.items()}
    return means | {"beside": None if alone else max(c["beside"] for c in costs)}


def _live(cell: Cell) -> float | None:
    """Live bytes; of an adapter that was stored before they were measured, all that it does not keep for rehearsal."""
    costs = cell.result["costs"]
    found, state, growth = (costs.get(name) for name in ("live_bytes", "state_bytes", "deployed_growth_bytes"))
    if found is None and state is not None and growth is not None:
        merged = (
            costs.get("tokens_trained_per_context") and growth < state
        )  # once deployed it adds nothing to the model
        return float(state - growth) if state == 0 or merged else None
    return None if found is None else float(found)


def _per_unit(ledger: Mapping[str, Any]) -> dict[str, float | None]:
    """What the ledger adds to the costs; its tokens by role stay in the result."""
    return {name: ledger[name] for name in ADDED if name in ledger}
