"""A cell that stands in several folders counts once, or the folders are refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from membench.analysis.merge import merge
from membench.analysis.several_folders import cells_of
from membench.analysis.verify import verify
from membench.cli import main
from membench.errors import MembenchError
from membench.io.atomic_files import replace_file
from membench.store import cell_folder
from membench.store.records import digest
from tests.support.stored_cells import put_cell, recipe


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two folders that share one cell; each has one of its own."""
    a, b = tmp_path / "a", tmp_path / "b"
    for root, method in ((a, "bm25"), (a, "ft-s"), (b, "bm25"), (b, "dpr")):
        put_cell(root, recipe("single", method))
        (root / "runs").mkdir(exist_ok=True)
        (root / "runs" / f"{root.name}.yaml").write_text(f"task: single # {root.name}\n")
    return a, b


def change(root: Path, method: str, **values: object) -> None:
    """Change these values in the first ask of a cell as another play would have stored them."""
    (cell,) = [c for c in cell_folder.cells(root) if c.recipe["method"] == method]
    path = cell.folder / "records.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()]
    row = next(r for r in records if r.keys() & values.keys())
    row.update(values)
    path.write_text("".join(f"{json.dumps(r)}\n" for r in records))
    cell_folder.finish(cell.folder, cell.result, digest(cell.folder))


def contents(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def test_a_cell_in_two_folders_counts_once_whatever_its_seconds(folders: tuple[Path, Path]) -> None:
    change(folders[1], "bm25", seconds=99.0)
    found = cells_of(folders)
    assert [(c.recipe["method"], c.folder.parent.name) for c in found] == [("bm25", "a"), ("dpr", "b"), ("ft-s", "a")]
    assert cells_of([folders[0], folders[0]]) == cell_folder.cells(folders[0])


def test_plays_of_one_cell_with_other_answers_are_refused_by_name(folders: tuple[Path, Path]) -> None:
    change(folders[1], "bm25", answer="another one")
    for call in (lambda: cells_of(folders), lambda: merge(folders, folders[0].parent / "c")):
        with pytest.raises(MembenchError, match=r"/a/single--bm25.* and .*/b/single--bm25.* are plays of one"):
            call()
    assert not (folders[0].parent / "c").exists()
    for command in ("leaderboard", "report", "verify"):
        done = CliRunner().invoke(main, [command, *map(str, folders)])
        assert (done.exit_code, "delete one of them" in done.stderr) == (2, True), command


def test_a_failed_or_damaged_play_gives_way_to_one_that_is_done(folders: tuple[Path, Path]) -> None:
    a, b = folders
    (cell,) = [c for c in cell_folder.cells(a) if c.recipe["method"] == "bm25"]
    cell_folder.finish(cell.folder, {**cell.result, "status": "failed", "reason": "no luck"}, digest(cell.folder))
    assert [c.folder.parent for c in cells_of(folders) if c.recipe["method"] == "bm25"] == [b]
    (cell.folder / "result.json").write_text("{")
    assert [c.folder.parent for c in cells_of([b, a]) if c.recipe["method"] == "bm25"] == [b]


def test_merging_gives_one_folder_and_leaves_the_others_alone(folders: tuple[Path, Path], tmp_path: Path) -> None:
    before = [contents(root) for root in folders]
    merged = merge(folders, tmp_path / "c")
    assert [contents(root) for root in folders] == before
    assert [c.id for c in cell_folder.cells(tmp_path / "c")] == [c.id for c in cells_of(folders)]
    assert len(merged.written) == 3
    assert sorted(p.name for p in (tmp_path / "c/runs").iterdir()) == ["a.yaml", "b.yaml"]
    again = merge(folders, tmp_path / "c")
    assert (len(again.written), len(again.there)) == (0, 3)


def test_a_stopped_merge_goes_on(folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it is stopped, no cell of the new folder seems done that is not, and the same call ends it."""
    whole, number, left = tmp_path / "whole", 0, 1000

    def stopping(path: Path, data: bytes) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt
        replace_file(path, data)

    monkeypatch.setattr("membench.analysis.merge.replace_file", stopping)
    merge(folders, whole)
    for number in range(1, 1000 - left):
        left, target = number, tmp_path / f"stopped-{number}"
        with pytest.raises(KeyboardInterrupt):
            merge(folders, target)
        assert all(not c.damage and cell_folder.records_of(c) for c in cell_folder.cells(target))
        left = 1000
        merge(folders, target)
        assert contents(target) == contents(whole)
    assert number > 5


def test_what_cannot_be_relied_on_is_left_out_and_said(folders: tuple[Path, Path], tmp_path: Path) -> None:
    (cell,) = [c for c in cell_folder.cells(folders[1]) if c.recipe["method"] == "dpr"]
    (cell.folder / "records.jsonl").write_text("")
    done = CliRunner().invoke(main, ["merge", *map(str, folders), "-o", str(tmp_path / "c")])
    assert done.exit_code == 1
    assert "left out: " in done.stderr
    assert "records.jsonl is not the file" in done.stderr
    assert "2 cells copied" in done.stdout
    shutil.rmtree(tmp_path / "c")
    for call in (["merge", str(folders[0]), "-o", str(folders[0])], ["merge", str(tmp_path / "no"), "-o", "c"]):
        done = CliRunner().invoke(main, call)
        assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1)


@pytest.mark.parametrize("part", ["summary", "costs", "counts"])
def test_copies_with_other_numbers_of_the_same_records_are_refused_in_either_order(
    folders: tuple[Path, Path], part: str
) -> None:
    (cell,) = [c for c in cell_folder.cells(folders[1]) if c.recipe["method"] == "bm25"]
    numbers = {name: value + 1 if isinstance(value, int | float) else {**value, "value": 0.9}
               for name, value in cell.result[part].items() if value is not None}  # fmt: skip
    cell_folder.finish(cell.folder, {**cell.result, part: numbers}, digest(cell.folder))
    for given in (folders, folders[::-1]):
        with pytest.raises(MembenchError, match="have other numbers of the same records"):
            cells_of(given)
    verdicts = {v.cell.folder.parent: v.ok for v in verify(*folders) if v.cell.recipe["method"] == "bm25"}
    assert verdicts == {folders[0]: True, folders[1]: False}
    said = json.loads(CliRunner().invoke(main, ["verify", "--json", *map(str, folders)]).stdout)
    assert [row["folder"] for row in said if not row["ok"]] == [str(cell.folder)]


def test_a_play_that_failed_is_not_told_of_where_another_came_out(folders: tuple[Path, Path]) -> None:
    (cell,) = [c for c in cell_folder.cells(folders[0]) if c.recipe["method"] == "bm25"]
    gone = {key: value for key, value in cell.result.items() if not key.endswith("_sha256")}
    cell_folder.finish(cell.folder, {**gone, "status": "failed", "reason": "no luck"}, None)
    assert [verdict.ok for verdict in verify(*folders)] == [True] * 3
    assert [verdict.ok for verdict in verify(folders[0])] == [False, True]


def test_a_result_without_records_gives_way_and_two_of_them_are_no_crash(folders: tuple[Path, Path]) -> None:
    def strip(root: Path) -> None:
        (cell,) = [c for c in cell_folder.cells(root) if c.recipe["method"] == "bm25"]
        (cell.folder / "records.jsonl").unlink()
        cell_folder.finish(cell.folder, cell.result, None)

    strip(folders[0])
    assert [c.folder.parent for c in cells_of(folders) if c.recipe["method"] == "bm25"] == [folders[1]]
    strip(folders[1])
    assert len(cells_of(folders)) == 3
    done = CliRunner().invoke(main, ["merge", *map(str, folders), "-o", str(folders[0].parent / "c")])
    assert (done.exit_code, "left out: " in done.stderr) == (1, True)


def test_a_yardstick_that_is_damaged_in_one_folder_says_nothing_of_cells_of_another(tmp_path: Path) -> None:
    reference = Path(__file__).parents[2] / "results" / "reference"
    a, b = tmp_path / "a", tmp_path / "b"
    names = ["sequential--selfparam--smollm2-135m--8bca3b1522ba"]
    names += ["gold--base--smollm2-135m--0d7562c1b8f6", "gold--in-context--smollm2-135m--8ef67986daea"]
    for root in (a, b):
        for name in names:
            shutil.copytree(reference / name, root / name)
    with (b / names[1] / "records.jsonl").open("a") as file:
        file.write("{\n")
    assert {v.cell.folder: v.ok for v in verify(a, b) if not v.ok} == {b / names[1]: False}


def test_a_cost_that_is_none_is_one_that_is_missing(folders: tuple[Path, Path]) -> None:
    (cell,) = [c for c in cell_folder.cells(folders[1]) if c.recipe["method"] == "bm25"]
    known = {name: value for name, value in cell.result["costs"].items() if value is not None}
    assert known.keys() < cell.result["costs"].keys()
    cell_folder.finish(cell.folder, {**cell.result, "costs": known}, digest(cell.folder))
    assert len(cells_of(folders)) == 3
