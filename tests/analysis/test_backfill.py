"""What older cells lack is made of what they stored; the hash of targets and the leak gate are checked."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import membench
from membench.analysis.rescore import rescore
from membench.analysis.verify import verify
from membench.planning.restore import ground_of, task_of
from membench.store import cell_folder
from membench.store.records import read_records

UNKNOWN = ("commit", "dirty", "cpu")
PARTS = ("ledger", "overlap", "controls", "targets_sha256")


@pytest.fixture(scope="module")
def played(tiny: Path, data_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("backfill") / "results"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEMBENCH_HOME", str(root.parent / "home"))
        settings = ("epochs=1", "pairs=1")
        given = {"data": f"jsonl:{data_file}", "model": str(tiny), "limit": 3, "output": root}
        membench.run("bm25,ft-s", "single", method_settings=settings, **given)
    return root


@pytest.fixture
def copy(played: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(played, tmp_path / "results"))


def problems(root: Path) -> list[str]:
    return [problem for verdict in verify(root) for problem in verdict.problems]


def change(cell: cell_folder.Cell, **parts: Any) -> None:
    cell_folder.write_json(cell.folder / "result.json", {**cell.result, **parts})


def trained(root: Path) -> cell_folder.Cell:
    (cell,) = [c for c in cell_folder.cells(root) if c.recipe["method"] == "ft-s"]
    return cell


def test_missing_parts_come_back_as_they_were(copy: Path, data_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(data_file.parent)  # a recipe has the file's name alone
    before = {c.folder.name: c.result for c in cell_folder.cells(copy)}
    kept = next(c.id for c in cell_folder.cells(copy) if c.recipe["method"] == "bm25")  # knows the model's parameters
    for cell in cell_folder.cells(copy):
        if cell.id != kept:
            result = {key: value for key, value in cell.result.items() if key not in PARTS}
            versions = {key: value for key, value in result["versions"].items() if key not in UNKNOWN}
            cell_folder.write_json(cell.folder / "result.json", {**result, "versions": versions})
    found = {r.cell.folder.name: r for r in rescore(copy, ())}
    assert {r.changed for r in found.values()} == {0}
    assert set(found[trained(copy).folder.name].made) == set(PARTS)
    for cell in cell_folder.cells(copy):
        assert {key: cell.result.get(key) for key in PARTS} == {key: before[cell.folder.name].get(key) for key in PARTS}
        assert cell.id == kept or not set(UNKNOWN) & cell.result["versions"].keys()
    assert problems(copy) == []


def test_changed_targets_are_named_and_no_part_of_the_recipe(copy: Path) -> None:
    cell = trained(copy)
    assert len(cell.result["targets_sha256"]) == 64
    assert "targets_sha256" not in cell.recipe
    path = cell.folder / cell_folder.TARGETS
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert any(f"{path} is not the file" in problem for problem in problems(copy))


@pytest.mark.parametrize("here", [True, False])
def test_the_leak_gate_is_recomputed(copy: Path, here: bool, data_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if here:  # else what was asked says it
        monkeypatch.chdir(data_file.parent)
    cell = trained(copy)
    assert (ground_of(cell.recipe, task_of(cell.recipe)) is not None) == here
    audit = cell.result["audit"]
    asked = next(r["question"] for r in read_records(cell.folder) if r["type"] == "answer")
    assert not any(problem.startswith("audit") for problem in problems(copy))
    for part, value in (("leak_rate", 0.9), ("leaked", [asked]), ("pairs", 77)):
        change(cell, audit={**audit, part: value})
        assert any(f"audit.{part}: stored {value}" in problem for problem in problems(copy))
