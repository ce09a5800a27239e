"""Scoring anew: which yardsticks a cell of a new version gets, and what is left as it lies."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from membench.analysis import rescore, rescored_rows
from membench.cli.app import main
from membench.metrics.answer_scores import METRIC_VERSION
from membench.store import cell_folder
from membench.store.recipe import cell_id
from membench.store.records import digest

REFERENCE = Path(__file__).parents[2] / "results" / "reference"
SEQUENCE = "sequential--selfparam--smollm2-135m--8bca3b1522ba"
GOLDS = ("gold--base--smollm2-135m--0d7562c1b8f6", "gold--in-context--smollm2-135m--8ef67986daea")


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sequence of the reference run with its yardsticks; the version of the metrics is a later one."""
    for name in (SEQUENCE, *GOLDS):
        shutil.copytree(REFERENCE / name, tmp_path / "results" / name)
    monkeypatch.setattr(rescore, "METRIC_VERSION", METRIC_VERSION + 1)
    return tmp_path / "results"


def score(root: Path) -> Result:
    return CliRunner().invoke(main, ["score", "--all", "-o", str(root)])


def newest(root: Path) -> dict[str, Any]:
    (cell,) = [c for c in cell_folder.newest(cell_folder.cells(root)) if c.recipe["task"] == "sequential"]
    return dict(cell.result)


def contents(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def test_without_yardsticks_of_the_new_version_none_is_kept(stored: Path) -> None:
    before = newest(stored)
    for name in GOLDS:
        shutil.rmtree(stored / name)
    done = score(stored)
    assert done.exit_code == 0
    assert "1 of the scored cells lost floor or reference: " in done.stderr
    after = newest(stored)
    assert after["recipe"]["metric_version"] == METRIC_VERSION + 1
    assert (after["yardsticks"], "need" in after["controls"]["sizes"]) == ({}, False)
    assert "need" in before["controls"]["sizes"]


@pytest.mark.parametrize("old", [True, False])
def test_yardsticks_that_were_played_under_the_new_version_are_found(stored: Path, old: bool) -> None:
    before = newest(stored)
    for name in GOLDS:
        result = json.loads((stored / name / "result.json").read_text())
        recipe = result["recipe"] | {"metric_version": METRIC_VERSION + 1}
        folder = cell_folder.open_cell(stored, recipe)
        shutil.copy(stored / name / "records.jsonl", folder)
        cell_folder.write_json(folder / "result.json", result | {"id": cell_id(recipe), "recipe": recipe})
        if not old:
            shutil.rmtree(stored / name)
    done = score(stored)
    assert (done.exit_code, done.stderr) == (0, "")
    after = newest(stored)
    assert {name: after[name] for name in ("yardsticks", "controls")} == {
        name: before[name] for name in ("yardsticks", "controls")
    }


@pytest.mark.parametrize("later", [1, 0])
def test_a_linked_cell_is_not_written_through(stored: Path, monkeypatch: pytest.MonkeyPatch, later: int) -> None:
    monkeypatch.setattr(rescore, "METRIC_VERSION", METRIC_VERSION + later)
    elsewhere = (stored / SEQUENCE).rename(stored.parent / "elsewhere")
    (elsewhere / cell_folder.LOCK).unlink(missing_ok=True)
    result = json.loads((elsewhere / "result.json").read_text())
    cell_folder.write_json(elsewhere / "result.json", result | {"ledger": None})
    (stored / SEQUENCE).symlink_to(elsewhere)
    before = contents(elsewhere)
    done = score(stored)
    assert (done.exit_code, done.stderr) == (
        1,
        f"left as it is: {stored / SEQUENCE} is a link, no folder: move it away\n",
    )
    assert contents(elsewhere) == before


def test_a_cell_whose_data_are_gone_leaves_no_folder(stored: Path) -> None:
    for name in GOLDS:
        shutil.rmtree(stored / name)
    folder = stored / SEQUENCE
    lines = [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]
    bare = [{key: value for key, value in line.items() if key != "distractors"} for line in lines]
    (folder / "records.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in bare))
    result = json.loads((folder / "result.json").read_text())
    recipe = result["recipe"] | {"data_hash": "other"}
    stale = result | {"id": cell_id(recipe), "recipe": recipe}
    cell_folder.finish(folder, stale, digest(folder))
    done = score(stored)
    assert done.exit_code == 1
    assert "are no longer those that were asked" in done.stderr
    assert [path.name for path in stored.iterdir()] == [SEQUENCE]


@pytest.mark.parametrize("golds", [True, False])
def test_fidelity_of_the_earlier_version_does_not_stay_without_the_reference(
    stored: Path, golds: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescored_rows, "token_f1", lambda *_: 0.123)
    for name in GOLDS:
        if not golds:
            shutil.rmtree(stored / name)
    assert score(stored).exit_code == 0
    found = newest(stored)["summary"].get("fidelity_f1/all")
    assert (found["value"] if found else None) == (0.123 if golds else None)


def test_what_is_scored_in_place_comes_from_no_other_cell_and_a_damaged_result_is_made_anew(stored: Path) -> None:
    assert score(stored).exit_code == 0
    (folder,) = [c.folder for c in cell_folder.newest(cell_folder.cells(stored)) if c.recipe["task"] == "sequential"]
    old = json.loads((stored / SEQUENCE / "result.json").read_text())["id"]
    records = [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]
    for record in records:
        if record["type"] == "answer":
            record["scores"]["f1"] = 0.5
    (folder / "records.jsonl").write_text("".join(f"{json.dumps(r)}\n" for r in records))
    cell_folder.finish(folder, json.loads((folder / "result.json").read_text()), digest(folder))
    assert score(stored).exit_code == 0
    assert newest(stored)["rescored_from"] == old
    (folder / "result.json").write_text("{")
    done = CliRunner().invoke(main, ["score", SEQUENCE, "-o", str(stored)])
    assert (done.exit_code, done.stderr) == (0, "")
    assert newest(stored)["rescored_from"] == old


@pytest.mark.parametrize("kind", ["damaged", "missing", "failed"])
def test_a_play_by_the_new_version_that_is_not_done_keeps_its_records(stored: Path, kind: str) -> None:
    old = json.loads((stored / SEQUENCE / "result.json").read_text())
    folder = cell_folder.open_cell(stored, old["recipe"] | {"metric_version": METRIC_VERSION + 1})
    lines = (stored / SEQUENCE / "records.jsonl").read_text().splitlines()
    fresh = "".join(f"{json.dumps(json.loads(line) | {'answer': 'another'})}\n" if '"answer"' in line else f"{line}\n"
                    for line in lines)  # fmt: skip
    (folder / "records.jsonl").write_text(fresh)
    if kind == "damaged":
        (folder / "result.json").write_text("{")
    elif kind == "failed":
        recipe = json.loads((folder / "recipe.json").read_text())
        failed = {**old, "id": cell_id(recipe), "recipe": recipe, "status": "failed", "reason": "out of memory"}
        cell_folder.finish(folder, failed, digest(folder))
    done = score(stored)
    said = "its records are not those of" if kind == "damaged" else "is another play of this cell, by this version"
    assert (done.exit_code, said in done.stderr) == (1, True)
    assert (folder / "records.jsonl").read_text() == fresh


def test_a_failed_play_by_the_new_version_stays_though_it_has_no_records(stored: Path) -> None:
    old = json.loads((stored / SEQUENCE / "result.json").read_text())
    recipe = old["recipe"] | {"metric_version": METRIC_VERSION + 1}
    folder = cell_folder.open_cell(stored, recipe)
    (folder / "records.jsonl").touch()
    bare = {"summary": {}, "costs": {}, "counts": {"contexts": 0, "questions": 0, "answered": 0}}
    failed = {"schema": old["schema"], "recipe": recipe, "status": "failed", "reason": "out of memory", **bare}
    cell_folder.finish(folder, {**failed, "id": cell_id(recipe)}, digest(folder))
    before = contents(folder)
    done = score(stored)
    assert done.exit_code == 1
    assert f"left as it is: {folder} is another play of this cell, by this version, and not done" in done.stderr
    assert contents(folder) == before


def test_where_nothing_was_played_by_the_new_version_its_folder_is_used(stored: Path) -> None:
    old = json.loads((stored / SEQUENCE / "result.json").read_text())
    folder = cell_folder.open_cell(stored, old["recipe"] | {"metric_version": METRIC_VERSION + 1})
    assert (score(stored).exit_code, newest(stored)["rescored_from"]) == (0, old["id"])
    assert (folder / "result.json").is_file()


def test_the_path_of_a_cell_is_told_as_folder_and_name(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cell, root = stored / SEQUENCE, str(stored)
    monkeypatch.chdir(cell)
    said = f" is the folder of one cell: membench score -o {root} {SEQUENCE}\n"
    for line in (["--all", str(cell)], ["--all", "-o", str(cell)], ["-o", root, str(cell)], ["--all", "-o", "."]):
        done = CliRunner().invoke(main, ["score", *line])
        assert (done.exit_code, done.stdout, done.stderr) == (2, "", f"membench: {line[-1]}{said}")
    monkeypatch.chdir(stored)
    assert CliRunner().invoke(main, ["score", "-o", ".", SEQUENCE]).exit_code == 0
