"""Stored numbers come out of their records, and it is said where they do not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from membench.analysis.verify import verify
from membench.api import Task
from membench.plugins import registry
from membench.store import cell_folder
from membench.store.recipe import cell_id
from membench.store.record_log import RecordLog
from membench.store.records import FILE, digest, read_records
from membench.store.summary import summarise_cell

RECIPE = {
    "task": "single", "task_settings": {}, "data": "worlds", "data_hash": "d", "limit": 2, "model": "tiny",
    "weights_hash": "w", "dtype": "float32", "style": "plain", "prompt_hash": "p", "metric_version": 1,
    "method": "ft-c", "method_version": 1, "settings": {}, "defaults": {}, "seed": 0,
}  # fmt: skip


def records(scores: dict[str, float]) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    for context, score in scores.items():
        common = {"episode": context, "seconds": 1.5, "tokens": {"reader": {"read": 9}}}
        out += [
            {"type": "write", "step": 0, "contexts": [context], "memory": "m", "peak_bytes": 5, "state_bytes": 7,
             "growth_bytes": 0, **common},
            {"type": "answer", "episode": context, "step": 1, "written": 1, "position": 1, "question": f"{context}-q",
             "context": context, "tags": {}, "text": "?", "gold": ["a"], "answer": "a", "scores": {"contains": score}},
            {"type": "ask", "step": 1, "questions": 1, **common},
        ]  # fmt: skip
    return out


def play(root: Path, scores: dict[str, float], yardsticks: dict[str, Any] | None = None, **changes: Any) -> Path:
    recipe = RECIPE | changes
    folder = cell_folder.open_cell(root, recipe)
    with RecordLog.open(folder) as log:
        for record in records(scores):
            log.append(record)
    task: Task = registry.load("tasks", "single")()
    summary, costs, counts = summarise_cell(task, read_records(folder))
    result = {
        "schema": 1, "id": cell_id(recipe), "status": "done", "reason": None, "recipe": recipe,
        "summary": summary, "yardsticks": yardsticks or {}, "costs": costs, "counts": counts,
    }  # fmt: skip
    cell_folder.finish(folder, result, digest(folder))
    return folder


def change(folder: Path, path: tuple[str, ...], value: Any) -> None:
    result = json.loads((folder / "result.json").read_text())
    place = result
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    cell_folder.write_json(folder / "result.json", result)


def problems(root: Path) -> list[str]:
    return [problem for verdict in verify(root) for problem in verdict.problems]


def test_an_honest_cell_comes_out(tmp_path: Path) -> None:
    play(tmp_path, {"c0": 1.0, "c1": 1 / 3})
    (verdict,) = verify(tmp_path)
    assert verdict.ok


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("summary", "contains/all", "value"), 0.9, "summary.contains/all.value: stored 0.9, recomputed 0.666667"),
        (("summary", "contains/all", "contexts", "c1"), 0.5, "summary.contains/all.contexts.c1: stored 0.5"),
        (("summary", "em/all"), {"value": 1.0}, "summary.em/all: stored {'value': 1.0}, recomputed None"),
        (("costs", "write_seconds_per_context"), 0.1, "costs.write_seconds_per_context: stored 0.1, recomputed 1.5"),
        (("counts", "answered"), 3, "counts.answered: stored 3, recomputed 2"),
        (("recipe", "seed"), 5, "is the result of another cell"),
    ],
)
def test_a_changed_number_is_named(tmp_path: Path, path: tuple[str, ...], value: Any, said: str) -> None:
    change(play(tmp_path, {"c0": 1.0, "c1": 1 / 3}), path, value)
    assert any(said in problem for problem in problems(tmp_path))


def test_a_task_that_is_not_installed_is_named(tmp_path: Path) -> None:
    folder = play(tmp_path, {"c0": 1.0})
    result = json.loads((folder / "result.json").read_text())
    recipe = result["recipe"] | {"task": "singel"}
    cell_folder.write_json(folder / "result.json", result | {"recipe": recipe, "id": cell_id(recipe)})
    assert any("did you mean 'single'" in problem for problem in problems(tmp_path))


def test_changed_or_damaged_records_are_named(tmp_path: Path) -> None:
    folder = play(tmp_path, {"c0": 1.0})
    text = (folder / FILE).read_text()
    (folder / FILE).write_text(text.replace('"contains":1.0', '"contains":0.0'))
    found = problems(tmp_path)
    assert any("is not the file that the result was made of" in problem for problem in found)
    assert any("contains/all.value: stored 1.0, recomputed 0.0" in problem for problem in found)
    (folder / FILE).write_text(text.replace('"step":1', '"stop":1', 1))
    assert any(f"{FILE}:2: damaged record" in problem for problem in problems(tmp_path))
    (folder / "result.json").write_text("{")
    assert any("result.json is damaged" in problem for problem in problems(tmp_path))


def test_yardsticks_come_out_of_their_own_cells(tmp_path: Path) -> None:
    floor = {"contains/all": {"value": 0.25, "contexts": {"c0": 0.25}}}
    play(tmp_path, {"c0": 1.0}, yardsticks={"base": floor})
    assert any("yardsticks.base: the cell that it came from is not here" in problem for problem in problems(tmp_path))
    play(tmp_path, {"c0": 0.25, "c1": 0.5}, task="gold", method="base", data_hash="without held-out")
    assert problems(tmp_path) == []
    (folder,) = tmp_path.glob("single--*")
    change(folder, ("yardsticks", "base", "contains/all", "value"), 0.0)
    assert problems(tmp_path) == ["yardsticks.base.contains/all.value: stored 0.0, recomputed 0.25"]
