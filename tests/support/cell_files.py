"""The files of one cell as a run leaves them, written by hand: records, and a result that is about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from membench.store import cell_folder
from membench.store.recipe import cell_id
from membench.store.record_log import RecordLog
from membench.store.records import digest

RECIPE = {
    "task": "single", "task_settings": {}, "data": "worlds", "data_hash": "d", "limit": 2, "model": "org/tiny model",
    "weights_hash": "w", "dtype": "float32", "style": "plain", "prompt_hash": "p", "metric_version": 1,
    "method": "ft-c", "method_version": 1, "settings": {"lr": 0.001}, "defaults": {"lr": 0.01}, "seed": 0,
}  # fmt: skip


def write(episode: str, step: int) -> dict[str, Any]:
    return {
        "type": "write", "episode": episode, "step": step, "contexts": [episode], "seconds": 2.0,
        "memory": f"m-{episode}", "tokens": {"student": {"trained": 30}, "teacher": {"read": 10}}, "peak_bytes": 100,
        "state_bytes": 40, "growth_bytes": 0,
    }  # fmt: skip


def answer(episode: str, step: int, name: str) -> dict[str, Any]:
    return {
        "type": "answer", "episode": episode, "step": step, "written": 1, "position": 1, "question": name,
        "context": episode, "tags": {}, "text": "Wér?", "gold": ["a", "b"], "answer": "a", "scores": {"contains": 1.0},
    }  # fmt: skip


def ask(episode: str, step: int, questions: int = 2) -> dict[str, Any]:
    tokens = {"reader": {"read": 50, "generated": 6}}
    return {"type": "ask", "episode": episode, "step": step, "questions": questions, "seconds": 1.0, "tokens": tokens}


def episode(name: str) -> list[dict[str, Any]]:
    return [write(name, 0), answer(name, 1, f"{name}-0"), answer(name, 1, f"{name}-1"), ask(name, 1)]


def record(folder: Path, records: list[dict[str, Any]]) -> None:
    with RecordLog.open(folder) as log:
        for one in records:
            log.append(one)


def finish(folder: Path, **changes: Any) -> dict[str, Any]:
    whole = {
        "schema": 1, "id": cell_id(RECIPE), "status": "done", "reason": None, "recipe": RECIPE, "summary": {},
        "costs": {}, "counts": {"contexts": 0, "questions": 0, "answered": 0},
    }  # fmt: skip
    return cell_folder.finish(folder, whole | changes, digest(folder))
