"""Folders, records that survive a kill at any byte, locks, results by rename."""

from __future__ import annotations

import errno
import json
import os
import re
from pathlib import Path

import pytest

from membench.api import Answer, Pair
from membench.errors import MembenchError
from membench.io.atomic_files import DiskFull
from membench.store import cell_folder
from membench.store.costs import costs_of
from membench.store.recipe import cell_id
from membench.store.record_log import RecordLog
from membench.store.records import FILE, Damaged, answer_of, digest, read_records
from membench.store.summary import counts_of
from tests.support.cell_files import RECIPE, answer, ask, episode, finish, record, write


def test_the_identity_of_a_recipe() -> None:
    shuffled = dict(reversed(RECIPE.items()))
    assert cell_id(RECIPE) == cell_id(shuffled)
    assert cell_id(RECIPE) != cell_id(RECIPE | {"seed": 1})
    assert cell_id(RECIPE) == cell_id(RECIPE | {"defaults": {}})
    assert cell_id({"k": (1, 2)}) == cell_id({"k": [1, 2]})
    folder = cell_folder.folder_of(Path("r"), RECIPE)
    assert folder.name == f"single--ft-c--org-tiny-model--{cell_id(RECIPE)[:12]}"


def test_a_log_remembers_closed_steps_and_memories(tmp_path: Path) -> None:
    record(tmp_path, episode("a"))
    with RecordLog.open(tmp_path) as log:
        assert log.closed == {("a", 0), ("a", 1)}
        assert log.memory_after("a", 0) == "m-a"
    records = read_records(tmp_path)
    assert answer_of(records[1]) == Answer("a", 1, 1, 1, "a-0", "a", {}, "Wér?", ("a", "b"), "a", {"contains": 1.0})


def test_a_kill_at_any_byte_resumes_to_the_same_file(tmp_path: Path) -> None:
    everything = [*episode("a"), *episode("b")]
    record(tmp_path, everything)
    whole = (tmp_path / FILE).read_bytes()
    closing = [k for k, r in enumerate(everything) if r["type"] != "answer"]
    ends = [k + 1 for k, byte in enumerate(whole) if byte == ord("\n")]
    for end in sorted({0, *range(1, len(whole), 61), *ends, *(end - 1 for end in ends)}):
        (tmp_path / FILE).write_bytes(whole[:end])
        with RecordLog.open(tmp_path, pytest.fail) as log:
            done = len(log.closed)
            resumed = everything[closing[done - 1] + 1 if done else 0 :]
            for one in resumed:
                log.append(one)
        assert (tmp_path / FILE).read_bytes() == whole


@pytest.mark.parametrize(
    "line", [b'{"type":"ask","epi', b"[1]", b'{"type":"dance"}', b'{"type":"ask"}', b"\xff\x00", b""]
)
def test_a_damaged_line_is_named_and_its_cell_begun_anew(tmp_path: Path, line: bytes) -> None:
    record(tmp_path, [*episode("a"), *episode("b")])
    lines = (tmp_path / FILE).read_bytes().split(b"\n")
    lines[2] = line
    (tmp_path / FILE).write_bytes(b"\n".join(lines))
    with pytest.raises(Damaged, match=rf"{FILE}:3: damaged record"):
        read_records(tmp_path)
    said: list[str] = []
    with RecordLog.open(tmp_path, said.append) as log:
        assert log.closed == set()
    assert len(said) == 1
    assert f"{FILE}:3" in said[0]
    assert (tmp_path / f"{FILE}.damaged-1").read_bytes() == b"\n".join(lines)
    (tmp_path / FILE).write_bytes(b"x\n")
    RecordLog.open(tmp_path, said.append).__exit__(None, None, None)
    assert (tmp_path / f"{FILE}.damaged-2").exists()


def test_a_score_that_is_no_number_is_refused(tmp_path: Path) -> None:
    bad = answer("a", 1, "a-0") | {"scores": {"margin": float("nan")}}
    with RecordLog.open(tmp_path) as log, pytest.raises(MembenchError, match="a-0 is not a finite number"):
        log.append(bad)
    assert read_records(tmp_path) == []


def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    folder = cell_folder.open_cell(tmp_path, RECIPE)
    with RecordLog.open(folder) as log:
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(DiskFull, match="no room on the disk"):
            log.append(write("a", 0))
        with pytest.raises(MembenchError, match="no room on the disk"):
            finish(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["recipe.json", FILE]


def test_a_finished_cell(tmp_path: Path) -> None:
    folder = cell_folder.open_cell(tmp_path, RECIPE)
    assert cell_folder.finished(tmp_path, RECIPE) is None
    assert cell_folder.cells(tmp_path) == []
    record(folder, episode("a"))
    result = finish(folder)
    assert result["records_sha256"] == digest(folder)
    assert cell_folder.finished(tmp_path, RECIPE) == result
    (cell,) = cell_folder.cells(tmp_path)
    assert (cell.id, cell.status, cell.recipe) == (cell_id(RECIPE), "done", RECIPE)
    assert cell_folder.find(tmp_path, cell.id[:5]) == cell_folder.find(tmp_path, folder.name) == cell
    assert json.loads((folder / "recipe.json").read_text()) == RECIPE
    cell_folder.clear(folder)
    assert [path.name for path in folder.iterdir()] == ["recipe.json"]


def test_failed_and_damaged_results_are_not_done(tmp_path: Path) -> None:
    folder = cell_folder.open_cell(tmp_path, RECIPE)
    finish(folder, status="failed", reason="it broke")
    assert cell_folder.finished(tmp_path, RECIPE) is None
    assert cell_folder.cells(tmp_path)[0].status == "failed"
    (folder / "result.json").write_text('{"schema": 1, "sta')
    assert cell_folder.finished(tmp_path, RECIPE) is None
    (cell,) = cell_folder.cells(tmp_path)
    assert cell.status == "failed"
    assert "result.json is damaged" in cell.result["reason"]


def test_a_result_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    folder = cell_folder.open_cell(tmp_path, RECIPE)
    cell_folder.write_json(folder / "result.json", finish(folder) | {"schema": 2})
    message = "written by a newer membench (schema 2; this one reads 1): upgrade membench"
    with pytest.raises(MembenchError, match=re.escape(message)):
        cell_folder.finished(tmp_path, RECIPE)
    (cell,) = cell_folder.cells(tmp_path)
    assert cell.status == "failed"
    assert message in str(cell.damage)


def test_names_that_find_no_cell(tmp_path: Path) -> None:
    with pytest.raises(MembenchError, match="no folder"):
        cell_folder.cells(tmp_path / "nowhere")
    with pytest.raises(MembenchError, match="no cell 'abc'"):
        cell_folder.find(tmp_path, "abc")
    (tmp_path / "file").write_text("")
    with pytest.raises(MembenchError, match="name another folder"):
        cell_folder.open_cell(tmp_path / "file", RECIPE)


def test_targets_come_back(tmp_path: Path) -> None:
    pairs = {"text é\nmore": (Pair("q?", "a"), Pair("r?", "b"))}
    cell_folder.write_targets(tmp_path, pairs)
    assert cell_folder.read_targets(tmp_path) == pairs
    assert cell_folder.read_targets(tmp_path / "nowhere") == {}


@pytest.mark.parametrize("line", ['{"context": "a", "pai', '{"context": "a"}', "[]"])
def test_damaged_targets_are_named(tmp_path: Path, line: str) -> None:
    cell_folder.write_targets(tmp_path, {"text": (Pair("Who?", "Ines"),)})
    path = tmp_path / cell_folder.TARGETS
    path.write_text(f"{path.read_text()}{line}\n")
    with pytest.raises(Damaged, match=r"targets\.jsonl:2: damaged record"):
        cell_folder.read_targets(tmp_path)


def test_costs_and_counts() -> None:
    records = [*episode("a"), *episode("b"), write("b", 2), ask("b", 3) | {"read": 0, "seconds": 0.0, "tokens": {}}]
    costs = costs_of(records)
    assert costs["write_seconds_per_context"] == 2.0
    assert costs["tokens_trained_per_context"] == 30
    assert costs["teacher_tokens_per_context"] == 10
    assert costs["read_seconds_per_question"] == 0.5  # the last Ask read nothing anew
    assert costs["tokens_read_per_question"] == 25
    assert costs["tokens_generated_per_question"] == 3
    assert costs["state_bytes"] == 40
    assert costs["state_bytes_per_context"] == pytest.approx(80 / 3)
    assert (costs["deployed_growth_bytes"], costs["peak_bytes"]) == (0, 100)
    assert counts_of(records) == {"contexts": 2, "questions": 6, "answered": 4}
    assert costs_of([])["write_seconds_per_context"] is None
