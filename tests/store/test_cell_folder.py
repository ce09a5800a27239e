"""Folders, records that survive a kill at any byte, locks, results by rename."""

from __future__ import annotations

import errno
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
from membench.api import Answer, Pair
from membench.cli.shared.folders import nothing_in
from membench.errors import MembenchError
from membench.io.atomic_files import DiskFull
from membench.store import cell_folder
from membench.store.costs import costs_of
from membench.store.recipe import cell_id, stored_before
from membench.store.record_log import RecordLog
from membench.store.records import FILE, Damaged, answer_of, digest, read_records
from membench.store.summary import counts_of

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


def finish(folder: Path, **changes: Any) -> dict[str, Any]:
    whole = {
        "schema": 1, "id": cell_id(RECIPE), "status": "done", "reason": None, "recipe": RECIPE, "summary": {},
        "costs": {}, "counts": {"contexts": 0, "questions": 0, "answered": 0},
    }  # fmt: skip
    return cell_folder.finish(folder, whole | changes, digest(folder))


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
