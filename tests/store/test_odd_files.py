"""Cells whose files no run wrote: misfits, copies, links, records of something else, what killed runs left."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from membench.analysis.known_names import stored_names
from membench.analysis.migrate import migrate
from membench.analysis.status import status_of
from membench.cli.shared.folders import nothing_in
from membench.errors import MembenchError
from membench.store import cell_folder
from membench.store.recipe import stored_before
from membench.store.records import FILE, Damaged, digest, read_records
from tests.support.cell_files import RECIPE, answer, ask, episode, finish, record, write


def test_a_cell_is_read_by_the_schema_and_a_misfit_says_where(tmp_path: Path) -> None:
    folder = cell_folder.open_cell(tmp_path, RECIPE)
    record(folder, episode("a"))
    whole = finish(folder, summary={"contains/all": {"value": 1.0, "contexts": {"a": 1.0}}})
    for change, where in (
        ({"summary": {"contains/all": {"value": "1.0"}}}, "summary: should be metrics by name, 'contains/all' is none"),
        ({"summary": {"contains/all": {"value": 1.0, "contexts": [1.0]}}}, "summary: should be metrics"),
        ({"costs": {"state_bytes": None, "live_bytes": True}}, "costs.live_bytes: should be a finite number"),
        ({"counts": None}, "counts: should be a valid dictionary"),
        ({"recipe": {**RECIPE, "seed": "0"}}, "recipe.seed: should be a valid integer"),
        ({"recipe": {**RECIPE, "settings": [1]}}, "recipe.settings: should be a valid dictionary"),
        ({"ledger": {}}, "ledger.parameters: Field required"),
        ({"yardsticks": {"base": {"f1/all": None}}}, "should be metrics by name"),
    ):
        cell_folder.write_json(folder / "result.json", whole | change)
        (cell,) = cell_folder.cells(tmp_path)
        assert cell.status == "failed"
        assert where in str(cell.damage)
        assert cell_folder.finished(tmp_path, RECIPE) is None
    (folder / "result.json").write_text('{"schema": 1, "summary": {"a": {"value": NaN}}}')
    assert "(no JSON)" in str(cell_folder.cells(tmp_path)[0].damage)


def test_a_cell_of_which_nothing_can_be_read_stands_under_its_folders_name(tmp_path: Path) -> None:
    folder = tmp_path / "single--ft-c--tiny--0123456789ab"
    folder.mkdir()
    (folder / "result.json").write_text("x")
    (cell,) = cell_folder.cells(tmp_path)
    assert (cell.recipe["task"], cell.recipe["method"], cell.status) == ("single", "ft-c", "failed")


def test_files_of_somebody_else_beside_the_cells_are_left_alone(tmp_path: Path) -> None:
    for name in ("notes.md", "notes--draft.md", "single--bm25--tiny--0123456789ab.part"):
        (tmp_path / name).write_text("mine, or half written")
    assert cell_folder.cells(tmp_path) == []
    (tmp_path / "single--bm25--tiny--0123456789ab").write_text("in a cell's place")
    (odd,) = cell_folder.cells(tmp_path)
    assert odd.status == "failed"


def test_a_half_written_folder_that_holds_a_whole_cell_is_none(tmp_path: Path) -> None:
    folder = cell_folder.open_cell(tmp_path, RECIPE)
    record(folder, episode("a"))
    finish(folder)
    half = folder.rename(folder.with_name(f"{folder.name}.part"))
    assert cell_folder.cells(tmp_path) == []
    assert stored_before(folder, RECIPE | {"model_files_hash": "f", "sources": {}}) is None
    assert list(migrate(tmp_path)) == []
    assert stored_names([tmp_path], "task") == []
    assert status_of(tmp_path).planned == 0
    assert "nothing stored in" in nothing_in([tmp_path])
    assert half.name not in nothing_in([tmp_path.parent])


def test_a_copied_cell_does_not_count_twice(tmp_path: Path) -> None:
    folder = cell_folder.open_cell(tmp_path, RECIPE)
    record(folder, episode("a"))
    finish(folder)
    shutil.copytree(folder, folder.with_name(f"{folder.name}-copy"))
    assert [cell.status for cell in cell_folder.cells(tmp_path)] == ["done", "failed"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([*episode("a"), write("a", 0)], "step 1 of 'a' is closed twice"),
        ([write("a", 0), answer("a", 1, "q"), ask("a", 1)], "asks 2 questions and has 1 answers"),
        ([write("a", 0), answer("a", 1, "q"), write("a", 1)], "asks 0 questions and has 1 answers"),
        ([write("a", 0), answer("a", 2, "q"), ask("a", 1, 1)], "closed behind answers of another step"),
        ([write("a", 0) | {"seconds": "2"}], "seconds: should be a finite number"),
        ([answer("a", 1, "q") | {"gold": "a"}, ask("a", 1, 1)], "gold: should be a valid list"),
    ],
)
def test_records_that_no_run_writes_are_damage(tmp_path: Path, rows: list[dict[str, Any]], said: str) -> None:
    (tmp_path / FILE).write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    with pytest.raises(Damaged, match=re.escape(said)):
        read_records(tmp_path)


def test_readers_refuse_records_that_are_not_those_of_the_result(tmp_path: Path) -> None:
    folder = cell_folder.open_cell(tmp_path, RECIPE)
    record(folder, episode("a"))
    finish(folder)
    (sound,) = cell_folder.checked(cell_folder.cells(tmp_path))
    assert len(cell_folder.records_of(sound)) == 4
    record(folder, episode("b"))
    for said in ("is not the file", "is missing"):
        if said == "is missing":
            (folder / FILE).unlink()
        (cell,) = cell_folder.checked(cell_folder.cells(tmp_path))
        assert (cell.status, said in str(cell.damage)) == ("failed", True)
        with pytest.raises(Damaged, match=said):
            cell_folder.records_of(sound)
    (folder / FILE).write_bytes(b"")
    cell_folder.write_json(folder / "result.json", {**sound.result, "records_sha256": digest(folder)})
    assert "holds no step" in str(next(cell_folder.checked(cell_folder.cells(tmp_path))).damage)
    assert digest(folder / "nowhere") is None


@pytest.mark.parametrize("name", ["result.json", FILE, "recipe.json", "targets.jsonl", ".lock"])
@pytest.mark.parametrize("kind", ["folder", "pipe", "link"])
def test_what_is_no_file_is_named_and_never_written_through(tmp_path: Path, name: str, kind: str) -> None:
    folder = cell_folder.open_cell(tmp_path / "r", RECIPE)
    record(folder, episode("a"))
    finish(folder)
    (folder / name).unlink(missing_ok=True)
    outside = tmp_path / "outside"
    outside.write_text("mine")
    if kind == "link":
        (folder / name).symlink_to(outside)
    elif kind == "pipe":
        os.mkfifo(folder / name)
    else:
        (folder / name).mkdir()
    said = {"folder": "is a folder", "pipe": "is a pipe", "link": "is a link"}[kind]
    with pytest.raises(MembenchError, match=rf"{re.escape(name)} {said}, no file: move it away"):
        cell_folder.open_cell(tmp_path / "r", RECIPE)
    (cell,) = cell_folder.checked(cell_folder.cells(tmp_path / "r"))
    assert (cell.status == "failed") == (name in ("result.json", FILE))
    assert outside.read_text() == "mine"


def test_parts_that_killed_runs_left_are_swept_once_they_are_old(tmp_path: Path) -> None:
    folder = cell_folder.open_cell(tmp_path, RECIPE)
    names = ("recipe.json.7.part", "recipe.json.8.part", "result.json.7.part")
    for name in names:
        (folder / name).write_text("")
    os.utime(folder / names[1], (1, 1))
    cell_folder.sweep(folder)
    assert [name for name in names if (folder / name).exists()] == [names[0]]
