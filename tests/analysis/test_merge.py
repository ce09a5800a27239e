"""Merging into a folder that has cells already, from folders that no run left like that."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from membench.analysis.merge import merge
from membench.cli.app import main
from membench.errors import MembenchError
from membench.store import cell_folder
from membench.store.records import digest
from tests.support.stored_cells import put_cell, recipe


def put(root: Path, method: str = "bm25") -> Path:
    """A small cell's folder."""
    what = recipe("single", method)
    put_cell(root, what)
    return cell_folder.folder_of(root, what)


def test_a_cell_that_has_another_folder_name_there_is_written_over(tmp_path: Path) -> None:
    a, into = tmp_path / "a", tmp_path / "into"
    put(a)
    mine = put(into).rename(into / "mine")
    os.truncate(mine / "records.jsonl", 20)
    assert merge([a], into).written == (mine,)
    again = merge([a], into)
    assert (again.written, again.there) == ((), (mine,))
    assert [(cell.folder, cell.damage) for cell in cell_folder.checked(cell_folder.cells(into))] == [(mine, None)]


def test_a_cell_under_the_name_of_another_one_is_not_written_over(tmp_path: Path) -> None:
    a, into = tmp_path / "a", tmp_path / "into"
    name = put(a).name
    put(into, "dpr").rename(into / name)
    with pytest.raises(MembenchError, match=f"{name} holds another cell than its name says"):
        merge([a], into)
    assert [cell.recipe["method"] for cell in cell_folder.cells(into)] == ["dpr"]


def test_a_link_to_itself_is_not_copied(tmp_path: Path) -> None:
    (put(tmp_path / "a") / "loop").symlink_to("loop")
    (written,) = merge([tmp_path / "a"], tmp_path / "into").written
    assert not os.path.lexists(written / "loop")


def test_what_is_not_finished_is_left_out_in_one_line(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    for method in ("bm25", "dpr", "ft-s"):
        folder = put(a, method)
        if method != "bm25":
            (folder / "result.json").unlink()
    put(b, "dpr")  # finished in one of the two
    done = CliRunner().invoke(main, ["merge", str(a), str(b), "-o", str(tmp_path / "into")])
    assert (done.exit_code, done.stdout.split(" to ")[0]) == (0, "2 cells copied")
    assert done.stderr == f"1 cell was not finished and is left out: `membench status {a}` says how far\n"
    shutil.rmtree(folder)
    assert CliRunner().invoke(main, ["merge", str(a), str(b), "-o", str(tmp_path / "into")]).stderr == ""


@pytest.mark.parametrize("recipe_too", [False, True])
def test_a_cell_whose_files_are_damaged_there_is_written_over(tmp_path: Path, recipe_too: bool) -> None:
    a, into = tmp_path / "a", tmp_path / "into"
    put(a)
    folder = put(into)
    for name in ("result.json", "recipe.json")[: 1 + recipe_too]:
        (folder / name).write_text("{")
    assert merge([a], into).written == (folder,)
    assert [(cell.folder, cell.damage) for cell in cell_folder.cells(into)] == [(folder, None)]


def test_a_cell_of_a_newer_membench_is_not_written_over(tmp_path: Path) -> None:
    a, into = tmp_path / "a", tmp_path / "into"
    put(a)
    put(a, "dpr")
    result = put(into) / "result.json"
    result.write_text(json.dumps(json.loads(result.read_text()) | {"schema": 99}))
    before = result.read_bytes()
    with pytest.raises(MembenchError, match="was written by a newer membench"):
        merge([a], into)
    assert [path.parent for path in into.glob("*/result.json")] == [result.parent]  # nothing was, of dpr either
    assert result.read_bytes() == before
    shutil.copytree(result.parent, into / "copy")
    assert all(cell.newer for cell in cell_folder.cells(into))  # none is said to be the other's copy


def test_a_cell_with_other_targets_than_it_was_made_with_is_left_out(tmp_path: Path) -> None:
    a, into = tmp_path / "a", tmp_path / "into"
    folder = put(a)
    (folder / "targets.jsonl").write_text("")
    (cell,) = cell_folder.cells(a)
    cell_folder.finish(folder, cell.result, digest(folder))
    (folder / "targets.jsonl").write_text("\n")
    done = CliRunner().invoke(main, ["merge", str(a), "-o", str(into), "--json"])
    assert (done.exit_code, into.exists()) == (1, False)
    assert json.loads(done.stdout)["left_out"] == [
        f"{folder}/targets.jsonl is not the file that the result was made of"
    ]


def test_how_far_each_folder_is_is_asked_of_each(tmp_path: Path) -> None:
    for name, method in (("a", "bm25"), ("b", "dpr")):
        (put(tmp_path / name, method) / "result.json").unlink()
    a, b = tmp_path / "a", tmp_path / "b"
    done = CliRunner().invoke(main, ["merge", str(a), str(b), str(a / ".." / "a"), "-o", str(tmp_path / "into")])
    assert done.stderr.startswith("2 cells were not finished and are left out: ")
    assert [part.split("`")[0] for part in done.stderr.split("`membench status ")[1:]] == [f"{a}/../a", str(b)]


def test_a_damaged_cell_under_the_name_of_another_one_is_not_written_over(tmp_path: Path) -> None:
    a, into = tmp_path / "a", tmp_path / "into"
    name = put(a).name
    other = put(into, "dpr").rename(into / name)
    with (other / "records.jsonl").open("a") as file:
        file.write("{}\n")
    with pytest.raises(MembenchError, match=f"{name} holds another cell than its name says"):
        merge([a], into)
    assert json.loads((other / "recipe.json").read_text())["method"] == "dpr"


def test_a_copy_by_a_newer_membench_beside_the_sound_cell_hinders_nothing(tmp_path: Path) -> None:
    a, into = tmp_path / "a", tmp_path / "into"
    put(a)
    folder = put(into)
    shutil.copytree(folder, into / "zcopy")
    result = into / "zcopy" / "result.json"
    whole = json.loads(result.read_text())
    result.write_text(json.dumps(whole | {"schema": 99}))
    assert merge([a], into).there == (folder,)
    assert cell_folder.find(into, whole["id"][:8]).folder == folder
