"""A cell that is stored twice counts once, as its sound copy, whatever the folders are called and given first."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from membench.analysis.several_folders import cells_of
from membench.analysis.verify import verify
from membench.cli.app import main
from membench.store import cell_folder
from membench.store.records import digest
from tests.support.stored_cells import put_cell, recipe


def put(root: Path, method: str = "bm25") -> Path:
    """A small cell's folder."""
    what = recipe("single", method)
    put_cell(root, what)
    return cell_folder.folder_of(root, what)


def spoil(folder: Path, how: str) -> None:
    """Damage a copy, or make it one that failed."""
    if how == "failed":
        result = json.loads((folder / "result.json").read_text())
        cell_folder.finish(folder, {**result, "status": "failed", "reason": "no luck"}, digest(folder))
    elif how == "records":
        os.truncate(folder / "records.jsonl", 20)
    else:
        (folder / "result.json").write_text("{")


def with_targets(folder: Path) -> None:
    (folder / "targets.jsonl").write_text('{"context": "a", "pairs": []}\n')
    cell_folder.finish(folder, json.loads((folder / "result.json").read_text()), digest(folder))


@pytest.mark.parametrize("how", ["result", "records", "failed"])
@pytest.mark.parametrize("name", ["aaa", "zzz"])
def test_a_spoilt_copy_in_the_folder_gives_way_to_the_sound_one(tmp_path: Path, how: str, name: str) -> None:
    folder = put(tmp_path)
    shutil.copytree(folder, tmp_path / name)
    spoil(tmp_path / name, how)
    found = {cell.folder: (cell.status, cell.damage) for cell in cell_folder.cells(tmp_path)}
    said = f"{tmp_path / name} is the cell of {folder}: delete it"
    assert found == {folder: ("done", None), tmp_path / name: ("failed", said)}


def test_of_two_sound_copies_the_first_counts(tmp_path: Path) -> None:
    folder = put(tmp_path)
    shutil.copytree(folder, tmp_path / "aaa")
    first, second = cell_folder.cells(tmp_path)
    assert (first.folder.name, first.damage) == ("aaa", None)
    assert str(second.damage).endswith("delete one of them")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_copy_with_other_targets_gives_way_in_either_order(tmp_path: Path, order: Sequence[int]) -> None:
    folders = [put(tmp_path / name) for name in "ab"]
    for folder in folders:
        with_targets(folder)
    (folders[1] / "targets.jsonl").write_text("")
    (cell,) = cells_of([folders[k].parent for k in order])
    assert cell.folder == folders[0]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("how", ["result", "records"])
def test_a_damaged_copy_in_another_folder_is_told_of_beside_the_sound_one(
    tmp_path: Path, how: str, order: Sequence[int]
) -> None:
    sound, copy = (put(tmp_path / name) for name in "ab")
    given = [(tmp_path / "ab"[k]) for k in order]
    assert [verdict.ok for verdict in verify(*given)] == [True]
    spoil(copy, how)
    assert {v.cell.folder: v.ok for v in verify(*given)} == {sound: True, copy: False}
    done = CliRunner().invoke(main, ["verify", *map(str, given)])
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (1, "1 of 2 cells verified")
