"""Hand-written cells of one table: four contexts, a floor, a reference, and a method between them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from membench.store.cell_folder import Cell
from membench.store.recipe import cell_id

CONTEXTS = ("c0", "c1", "c2", "c3")


FLOOR = {"contains/all": (0.0, 0.1, 0.0, 0.1), "contains/rehearsed": (0.0, 0.1, 0.0, 0.1)}


REFERENCE = {"contains/all": (0.8, 0.9, 0.7, 0.8), "contains/rehearsed": (0.8, 0.9, 0.7, 0.8)}


SCORES = {
    "contains/all": (0.4, 0.5, 0.3, 0.4),
    "contains/rehearsed": (0.8, 0.8, 0.6, 0.8),
    "contains/placebo": (0.1, 0.0, 0.1, 0.0),
    "f1/all": (0.4, 0.4, 0.4, 0.4),
}


def summary(values: Mapping[str, tuple[float, ...]]) -> dict[str, Any]:
    return {
        name: {"value": sum(those) / len(those), "contexts": dict(zip(CONTEXTS, those, strict=False))}
        for name, those in values.items()
    }


def cell(
    method: str = "ft-c", status: str = "done", scores: Mapping[str, tuple[float, ...]] | None = None, **recipe: Any
) -> Cell:
    whole = {
        "task": "single", "task_settings": {}, "data": "worlds", "data_hash": "d0", "limit": 4, "model": "tiny",
        "weights_hash": "w0", "dtype": "float32", "style": "plain", "prompt_hash": "p0", "metric_version": 1,
        "method": method, "method_version": 1, "settings": {"lr": 0.001, "steps": 8},
        "defaults": {"lr": 0.001, "steps": 12}, "seed": 0,
    } | recipe  # fmt: skip
    result = {
        "id": cell_id(whole), "status": status, "reason": None if status == "done" else "it broke", "recipe": whole,
        "summary": summary(scores or SCORES), "yardsticks": {"base": summary(FLOOR), "in-context": summary(REFERENCE)},
        "costs": {"write_seconds_per_context": 12.5, "state_bytes_per_context": 3_686_400, "deployed_growth_bytes": 0},
        "counts": {"contexts": 4, "questions": 64, "answered": 64 if status == "done" else 16},
    }  # fmt: skip
    return Cell(Path("r"), result)


def gold(method: str, scores: Mapping[str, tuple[float, ...]], **recipe: Any) -> Cell:
    made = cell(method, scores=scores, task="gold", settings={}, defaults={}, **recipe)
    return Cell(made.folder, {**made.result, "yardsticks": {}, "costs": {"write_seconds_per_context": 0.0}})


CELLS = [gold("base", FLOOR), gold("in-context", REFERENCE), cell()]
