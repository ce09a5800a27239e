"""Copies, renamed folders, links, cells of other versions: nothing is lost to them, and no number is silently other."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from membench.analysis.merge import merge
from membench.analysis.several_folders import cells_of
from membench.analysis.status import status_of
from membench.analysis.verify import verify
from membench.cli import app
from membench.errors import MembenchError
from membench.store import cell_folder
from membench.store.recipe import cell_id
from membench.store.records import digest
from tests.support.stored_cells import put_cell, recipe

REFERENCE = Path(__file__).parents[2] / "results" / "reference"
SEQUENCE = "sequential--selfparam--smollm2-135m--8bca3b1522ba"
GOLDS = ("gold--base--smollm2-135m--0d7562c1b8f6", "gold--in-context--smollm2-135m--8ef67986daea")


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A sequence of the reference run with its yardsticks."""
    for name in (SEQUENCE, *GOLDS):
        shutil.copytree(REFERENCE / name, tmp_path / "results" / name)
    return tmp_path / "results"


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app.main, [str(part) for part in arguments])


def contents(root: Path) -> dict[str, bytes]:
    """Of all files but the locks, which stay behind."""
    kept = (p for p in sorted(root.rglob("*")) if p.is_file() and not p.name.startswith(cell_folder.LOCK))
    return {str(p.relative_to(root)): p.read_bytes() for p in kept}


def put(root: Path, method: str) -> Path:
    """A small cell's folder."""
    what = recipe("single", method)
    put_cell(root, what)
    return cell_folder.folder_of(root, what)


def result_of(folder: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((folder / "result.json").read_text())
    return value


def put_result(folder: Path, **changed: Any) -> None:
    cell_folder.write_json(folder / "result.json", result_of(folder) | changed)


def test_scoring_a_copy_leaves_the_cell_that_it_was_copied_from(stored: Path) -> None:
    """The copy stands first in the folder, and its answers were changed: scored in place, the other one as it was."""
    copy = stored / "aaa"
    shutil.copytree(stored / SEQUENCE, copy)
    lines = (copy / "records.jsonl").read_text().splitlines()
    number, row = next((i, json.loads(line)) for i, line in enumerate(lines) if '"type":"answer"' in line)
    lines[number] = json.dumps(row | {"answer": "another one"})
    (copy / "records.jsonl").write_text("".join(f"{line}\n" for line in lines))
    cell_folder.finish(copy, result_of(copy), digest(copy))
    before = contents(stored / SEQUENCE)
    assert call("score", "--all", "-o", stored).exit_code == 1  # the second of the two is told to be a copy
    assert contents(stored / SEQUENCE) == before


def test_a_renamed_folder_is_scored_where_it_is(stored: Path) -> None:
    (stored / SEQUENCE).rename(stored / "mine")
    put_result(stored / "mine", ledger=None)
    done = call("score", "--all", "-o", stored)
    assert (done.exit_code, sorted(path.name for path in stored.iterdir())) == (0, sorted([*GOLDS, "mine"]))
    assert all(verdict.ok for verdict in verify(stored))


@pytest.mark.parametrize("gone", GOLDS)
def test_scoring_without_one_of_the_yardsticks_keeps_what_is_stored_of_both(stored: Path, gone: str) -> None:
    shutil.rmtree(stored / gone)
    before = result_of(stored / SEQUENCE)
    assert call("score", "--all", "-o", stored).exit_code == 0
    after = result_of(stored / SEQUENCE)
    assert {name: after[name] for name in ("yardsticks", "controls")} == {
        name: before[name] for name in ("yardsticks", "controls")
    }


def test_what_a_newer_version_scored_is_left_to_it(stored: Path) -> None:
    newer = result_of(stored / SEQUENCE)["recipe"] | {"metric_version": 99}
    put_result(stored / SEQUENCE, recipe=newer, id=cell_id(newer))
    before = contents(stored)
    done = call("score", "--all", "-o", stored)
    assert done.exit_code == 1
    assert "was scored by a newer membench: upgrade membench" in " ".join((done.stdout + done.stderr).split())
    assert contents(stored) == before


def test_a_result_under_another_recipe_s_id_is_damaged(tmp_path: Path) -> None:
    """One play must not count as two seeds."""
    first = put(tmp_path, "ft-s")
    copy = first.with_name("single--ft-s--some-model--aaaaaaaaaaaa")
    shutil.copytree(first, copy)
    put_result(copy, id="a" * 16)
    assert [cell.damage for cell in cell_folder.cells(tmp_path)] == [
        None,
        f"{copy} is the cell of {first}: delete it",
    ]
    shutil.rmtree(first)
    (damaged,) = cell_folder.cells(tmp_path)
    assert "is the result of another cell" in str(damaged.damage)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_copies_the_sound_one_counts_in_either_order(tmp_path: Path, order: Sequence[int]) -> None:
    roots = [tmp_path / "a", tmp_path / "b"]
    for root in roots:
        cell = put(root, "bm25")
    with (cell / "records.jsonl").open("r+b") as damaged:
        damaged.truncate(20)
    given = [roots[k] for k in order]
    assert [cell.folder.parent for cell in cell_folder.checked(cells_of(given)) if not cell.damage] == [roots[0]]
    assert len(merge(given, tmp_path / "m").written) == 1
    assert all(verdict.ok or "data" in verdict.problems[0] for verdict in verify(tmp_path / "m"))
    assert len(merge([roots[0]], roots[1]).written) == 1, "a damaged one that is there is none"


def test_merging_takes_what_a_link_leads_to(tmp_path: Path) -> None:
    cell = put(tmp_path / "a", "bm25")
    moved = (cell / "records.jsonl").rename(tmp_path / "elsewhere.jsonl")
    (cell / "records.jsonl").symlink_to(moved)
    (written,) = merge([tmp_path / "a"], tmp_path / "m").written
    assert (written / "records.jsonl").read_bytes() == moved.read_bytes()


def test_other_numbers_of_the_same_records_are_refused(tmp_path: Path) -> None:
    for name in "ab":
        cell = put(tmp_path / name, "bm25")
    summary = result_of(cell)["summary"]
    put_result(cell, summary=summary | {"contains/all": {"value": 0.9, "contexts": {}}})
    with pytest.raises(MembenchError, match="have other numbers of the same records"):
        cells_of([tmp_path / "a", tmp_path / "b"])


@pytest.mark.parametrize(
    "command", ["ls runs", "leaderboard", "status", "verify", "score --all -o", "compare bm25 dpr"]
)
def test_odd_names_and_links_are_no_trouble_of_the_others(tmp_path: Path, command: str) -> None:
    for method in ("bm25", "dpr"):
        cell = put(tmp_path, method)
    shutil.copytree(cell, tmp_path / os.fsdecode(b"seq\xff--bm25--x--1"))
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "loop--of--links").symlink_to("loop--of--links")
    done = call(*command.split(), tmp_path)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    assert "cannot be read (Too many" not in done.stderr.replace("\n", " ") or "loop--of--links" in done.stderr
    assert "bm25" in done.stdout + done.stderr


def test_a_number_whose_variance_squared_is_not_finite_is_damage(stored: Path) -> None:
    summary = result_of(stored / SEQUENCE)["summary"]
    summary["contains/all"]["contexts"]["w0-0"] = 9e99
    put_result(stored / SEQUENCE, summary=summary)
    done = call("leaderboard", stored, "--format", "json")
    assert done.exit_code in (0, 2)
    assert "is damaged" in done.stdout + done.stderr


def test_show_says_what_is_not_finished_and_what_is_not_the_result_s(stored: Path) -> None:
    folder = stored / SEQUENCE
    (folder / "targets.jsonl").write_text((folder / "targets.jsonl").read_text().splitlines()[0] + "\n")
    said = call("show", SEQUENCE, stored)
    assert (said.exit_code, said.stdout) == (2, "")
    assert "targets.jsonl is not the file that the result was made of" in said.stderr
    whole = result_of(folder)
    put_result(folder, **{name: value for name, value in whole.items() if name != "records_sha256"})
    bare = {name: value for name, value in whole.items() if name not in ("records_sha256", "targets_sha256")}
    cell_folder.write_json(folder / "result.json", bare)
    assert "is not the file that the result was made of" in call("show", SEQUENCE, stored).stderr
    (folder / "result.json").unlink()
    said = call("show", SEQUENCE, stored)
    assert (said.exit_code, said.stdout) == (2, "")
    assert "is not finished: `membench status" in said.stderr


def test_verify_says_of_a_cell_without_records_that_alone(stored: Path) -> None:
    (stored / SEQUENCE / "records.jsonl").unlink()
    (verdict,) = [v for v in verify(stored) if not v.ok]
    assert [problem.rpartition("/")[2] for problem in verdict.problems] == ["records.jsonl is missing"]
    lines = call("verify", stored).stdout.splitlines()
    assert max(map(len, lines)) < 500


@pytest.mark.parametrize("started", ["yesterday", "", "2026-01-01T00:00:00"])
def test_status_reads_what_no_run_wrote(tmp_path: Path, started: str) -> None:
    cell = put(tmp_path, "bm25")
    put_result(cell, started=started, finished="2026-01-01T00:00:00+00:00")
    plan = {"id": cell.name[-16:], "folder": cell.name, "title": "bm25", "steps": 4, "seconds": 3.0}
    waiting = plan | {"id": "b" * 16, "folder": "single--dpr--tiny--bbbbbbbbbbbb"}
    (tmp_path / "runs").mkdir()
    for name, seconds in (("plan-a.json", 3.0), ("plan-b.json", float("nan")), ("plan-c.json", -5.0)):
        head = {"host": "h", "pid": 1, "started": "", "cells": [plan, waiting | {"seconds": seconds}]}
        (tmp_path / "runs" / name).write_text(json.dumps(head))
    said = call("status", tmp_path)
    assert (said.exit_code, said.stderr) == (0, "")
    assert "2 cells: 1 done, 1 waiting" in said.stdout


def test_status_learns_nothing_of_a_cell_that_ended_before_it_began(tmp_path: Path) -> None:
    cell = put(tmp_path, "bm25")
    put_result(cell, started="2026-01-01T02:00:00+00:00", finished="2026-01-01T00:00:00+00:00")
    plan = {"id": cell.name[-16:], "folder": cell.name, "title": "bm25", "steps": 4, "seconds": 3.0}
    waiting = plan | {"id": "b" * 16, "folder": "single--dpr--tiny--bbbbbbbbbbbb"}
    (tmp_path / "runs").mkdir()
    head = {"host": "h", "pid": 1, "started": "", "cells": [plan, waiting]}
    (tmp_path / "runs/plan-a.json").write_text(json.dumps(head))
    assert status_of(tmp_path).left == 3.0
