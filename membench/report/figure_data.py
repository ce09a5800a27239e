"""The numbers of the page's interactive figures, as plain data for its script."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from membench.figures.files import Settings
from membench.figures.plot_curves import DRIFTS, MATRIX, RETENTION, placed_at, theory_of
from membench.report.board import Board
from membench.tables.entry import Entry
from membench.tables.ranking_metric import less_is_better

COSTS: Mapping[str, str] = {
    "write": "write_seconds_per_context", "read": "read_seconds_per_question", "bytes": "state_bytes_per_context",
}  # fmt: skip
DIGITS = 5  # significant ones of a number in the page
WIDEST = 40  # rows and columns of a matrix; of a longer sequence as many, evenly spread


def scores_of(board: Board, main: set[int]) -> dict[str, Any]:
    """Each entry with its score and its costs; `main` are the ids of those that stand in the short table."""
    entries = board.table.entries
    points = [
        _point(e, board.metric, id(e) in main)
        for e in entries
        if e.status == "done" and e.value(board.metric) is not None
    ]
    return {
        "board": board.name, "metric": board.metric.removesuffix("/all"), "points": points,
        "contexts": board.table.contexts, "lower": less_is_better(board.metric, entries),
    }  # fmt: skip


def _point(entry: Entry, metric: str, main: bool) -> dict[str, Any]:
    found = entry.interval(metric)
    ends = (found.value, found.low, found.high) if found else (entry.value(metric), None, None)
    costs = {name: rounded(entry.cost(cost)) for name, cost in COSTS.items()}
    return {
        "label": entry.label, "method": entry.title or entry.method, "mark": entry.mark, "main": main,
        **dict(zip(("value", "low", "high"), map(rounded, ends), strict=True)), **costs, "unseeded": entry.unseeded,
    }  # fmt: skip


def time_of(board: Board, settings: Settings) -> dict[str, Any] | None:
    """What each entry of a sequence keeps after each write; None where nothing was measured along one."""
    lines = [_line(e, board, settings) for e in board.table.entries if e.status == "done"]
    lines = [line for line in lines if line["matrix"] or line["retention"] or line["drift"]]
    names = {name.removesuffix("/all"): meaning for name, meaning in DRIFTS.items()}
    return {"board": board.name, "lines": lines, "drifts": names} if lines else None


def _line(entry: Entry, board: Board, settings: Settings) -> dict[str, Any]:
    matrix = matrix_of(entry)
    curve = [rounded(value) for value in entry.curve(RETENTION) or ()]
    keeps, formula = theory_of(entry, settings)
    drift = {}
    for metric in DRIFTS:
        if values := entry.curve(metric):
            places = placed_at(entry, len(values), board.table.recipe["task_settings"])
            drift[metric.removesuffix("/all")] = {"x": places, "y": [rounded(value) for value in values]}
    kept = _spread(len(matrix))
    return {
        "label": entry.label, "method": entry.title or entry.method, "mark": entry.mark,
        "right": [rounded(math.fsum(row[: t + 1]) / (t + 1)) for t, row in enumerate(matrix)],
        "matrix": [[rounded(matrix[t][i]) for i in kept] for t in kept], "places": [t + 1 for t in kept],
        "retention": curve, "drift": drift, "formula": formula if curve else "",
        "theory": [rounded(keeps**age) for age in range(len(curve))] if keeps is not None else [],
    }  # fmt: skip


def matrix_of(entry: Entry) -> list[list[float]]:
    """R[t, i], the mean over seeds: the score of context i after write t; [] where there is none."""
    curve = entry.curve(MATRIX) or []
    size = math.isqrt(len(curve))
    return [curve[t * size : (t + 1) * size] for t in range(size)] if size * size == len(curve) else []


def rounded(value: float | None) -> float | None:
    """To DIGITS significant digits; None for what is no number."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.{DIGITS}g}")


def _spread(size: int) -> list[int]:
    """The places of at most WIDEST rows, first and last among them."""
    if size <= WIDEST:
        return list(range(size))
    return [round(k * (size - 1) / (WIDEST - 1)) for k in range(WIDEST)]
