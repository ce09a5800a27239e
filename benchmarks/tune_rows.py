"""The rows of the tuning grid that were played (benchmarks/tune.py), the best one of each method, and their table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from membench.formats.markdown import Grid

GRID = {  # learning rates, passes; a method's own default is in the middle of its rates
    "selfparam": ((2e-3, 4e-3, 8e-3), (12, 24)),
    "ft-s": ((2e-3, 4e-3, 8e-3), (12, 24)),
    "ft-c": ((2e-3, 4e-3, 8e-3), (24, 48)),
    "cartridge": ((5e-3, 1e-2, 2e-2), (12, 24)),
}
ROWS = Path(__file__).with_name("tuning.jsonl")
COLUMNS = ("contains/rehearsed", "margin/rehearsed", "contains/unrehearsed", "contains/all", "margin/all", "seconds")


def stored() -> list[dict[str, Any]]:
    """The rows that were played, in the order of the grid."""
    rows = [json.loads(line) for line in ROWS.read_text("utf-8").splitlines()] if ROWS.exists() else []
    return sorted(rows, key=lambda r: (list(GRID).index(r["method"]), r["lr"], r["epochs"]))


def best(name: str) -> dict[str, Any]:
    """The row of a method that the rule selects: most right of what is rehearsed (ft-c: of all), then most margin."""
    view = "all" if name == "ft-c" else "rehearsed"
    return max((r for r in stored() if r["method"] == name), key=lambda r: (r[f"contains/{view}"], r[f"margin/{view}"]))


def tuning_table() -> Grid:
    """A line a row, and which of a method's is the best."""
    lines: list[list[str]] = [["method", "rate", "passes", *(name.replace("/", " ") for name in COLUMNS), "best"]]
    chosen = [best(name) for name in {row["method"] for row in stored()}]
    for row in stored():
        numbers = [f"{row[name]:.1f}" if name == "seconds" else f"{row[name]:.2f}" for name in COLUMNS]
        settings = [row["method"], f"{row['lr']:g}", str(row["epochs"])]
        lines.append([*settings, *numbers, "yes" if row in chosen else ""])
    return lines
