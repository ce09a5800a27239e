"""Where the numbers of a page come from: the cells of its tables, and the surroundings that they were played in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from membench.report.board import labels_of
from membench.report.view import View
from membench.store.cell_folder import Cell

Facts = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Origin:
    """A cell: what it played, its label in the tables, when, in which surroundings, and its files' hashes."""

    id: str
    label: str
    task: str
    at: str  # the titles of the views that show it, a line each
    seed: str
    status: str
    played: str
    surroundings: int
    hashes: Facts
    recipe: Facts


@dataclass(frozen=True)
class Origins:
    """All cells of a page; `surroundings` are numbered from 1 on."""

    cells: Sequence[Origin]
    surroundings: Sequence[Facts]


def origins_of(views: Sequence[View], cells: Iterable[Cell]) -> Origins:
    """One origin a cell, in the order of the tables; floor and reference stand in several and are listed once."""
    by_id = {cell.id: cell for cell in cells}
    numbers: dict[str, int] = {}
    surroundings: list[Facts] = []
    found = []
    for i, label in labels_of([board for view in views for board in view.boards]).items():
        versions = by_id[i].result.get("versions") or {}
        key = json.dumps(versions, sort_keys=True)
        if key not in numbers:
            surroundings.append(_facts(versions))
            numbers[key] = len(surroundings)
        at = [view.title for view in views if i in labels_of(view.boards)]
        found.append(_origin(by_id[i], label, "\n".join(at), numbers[key]))
    return Origins(found, surroundings)


def _origin(cell: Cell, label: str, at: str, surroundings: int) -> Origin:
    result, recipe = cell.result, cell.recipe
    reason = f": {result['reason']}" if result.get("reason") else ""
    return Origin(
        cell.id, label, recipe["task"], at, str(recipe["seed"]), f"{cell.status}{reason}",
        " to ".join(result[name] for name in ("started", "finished") if result.get(name)), surroundings,
        [(f"sha256 of the {part}", h) for part in ("records", "targets") if (h := result.get(f"{part}_sha256"))],
        _facts({k: v for k, v in recipe.items() if k != "defaults"}),
    )  # fmt: skip


def _facts(values: dict[str, Any]) -> Facts:
    return [(name, text) for name, value in values.items() if (text := _text(value))]


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={_text(item)}" for name, item in value.items())
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
