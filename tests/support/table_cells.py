"""Cells in memory with scores a context, as tables are made of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from membench.store.cell_folder import Cell

CONTEXTS = 20


def cell(method: str, scores: Sequence[float], trained: float = 0.0, **recipe: Any) -> Cell:
    whole = {
        "task": "single", "task_settings": {}, "data": "worlds", "data_hash": "d", "limit": CONTEXTS, "model": "tiny",
        "weights_hash": "w", "dtype": "float32", "style": "plain", "prompt_hash": "p", "metric_version": 1,
        "method": method, "method_version": 1, "settings": {}, "defaults": {}, "seed": 0,
    } | recipe  # fmt: skip
    contexts = {f"c{k}": score for k, score in enumerate(scores)}
    metric = {"value": sum(scores) / len(scores), "contexts": contexts}
    result = {
        "id": f"{method}-{whole['seed']}", "status": "done", "recipe": whole, "yardsticks": {},
        "summary": {"contains/all": metric, "f1/all": metric},
        "costs": {"tokens_trained_per_context": trained, "write_seconds_per_context": 1.0},
        "counts": {"contexts": CONTEXTS, "questions": 9, "answered": 9},
    }  # fmt: skip
    return Cell(Path("r"), result)


def wave(centre: float, phase: int = 0) -> list[float]:
    """Scores around a centre, in an order of their own."""
    return [centre + 0.1 * ((7 * k + phase) % 5 - 2) / 2 for k in range(CONTEXTS)]
