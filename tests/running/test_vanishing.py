"""Records that are taken away, cut, replaced, or another cell's: the cell fails or is played anew, never done."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner

import membench
from membench.analysis.verify import verify
from membench.api import Method, Recall
from membench.cli.app import main
from membench.model.llm import LLM
from membench.plugins import registry
from membench.store import cell_folder
from membench.store.records import FILE, digest


@dataclass(frozen=True)
class Prankster(Method[str]):
    """Does something to its own records at the second write."""

    prank: ClassVar[Callable[[], object]] = staticmethod(lambda: None)

    def write(self, memory: str | None, contexts: Sequence[str]) -> str:
        if memory:
            type(self).prank()
        return (memory or "") + contexts[0]

    def recall(self, memory: str | None, questions: Sequence[str]) -> Recall:
        return Recall()


@pytest.fixture(autouse=True)
def _quick(llm: LLM, monkeypatch: pytest.MonkeyPatch) -> None:
    load = registry.load
    monkeypatch.setattr(registry, "require", lambda kind, names: None)  # it is not registered
    monkeypatch.setattr(registry, "load", lambda kind, name: Prankster if name == "prankster" else load(kind, name))
    monkeypatch.setattr(LLM, "load", lambda *_, **__: llm)
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def given(tiny: Path, data_file: Path, tmp_path: Path) -> dict[str, Any]:
    return {"data": f"jsonl:{data_file}", "model": str(tiny), "limit": 2, "output": tmp_path / "results"}


def records(given: dict[str, Any]) -> Path:
    (path,) = given["output"].glob(f"sequential--*/{FILE}")
    assert isinstance(path, Path)
    return path


def taken(path: Path) -> None:
    path.unlink()


def cut(path: Path) -> None:
    os.truncate(path, 0)


def replaced(path: Path) -> None:
    text = path.read_text().replace('"written":1', '"written":2')
    path.unlink()
    path.write_text(text)


def extended(path: Path) -> None:
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines, *lines]))


@pytest.mark.parametrize("prank", [taken, cut, replaced, extended])
def test_records_that_change_while_a_cell_is_played_fail_it(
    given: dict[str, Any], prank: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Prankster, "prank", staticmethod(lambda: prank(records(given))))
    (result,) = membench.run("prankster", "sequential", yardsticks=False, **given)
    assert result["status"] == "failed"
    assert "while the cell was played" in result["reason"]
    assert result["summary"] == {}
    monkeypatch.setattr(Prankster, "prank", staticmethod(lambda: None))
    (mended,) = membench.run("prankster", "sequential", yardsticks=False, **given)
    assert (mended["status"], mended["counts"]["answered"]) == ("done", 8)
    assert all(verdict.ok for verdict in verify(given["output"]))


@pytest.mark.parametrize("which", ["foreign", "fewer", "none"])
def test_records_that_are_not_the_scripts_are_not_done_though_their_hash_fits(
    given: dict[str, Any], which: str, capfd: pytest.CaptureFixture[str]
) -> None:
    first, other = membench.run("bm25,full-context", "sequential,single", yardsticks=False, **given)[::3]
    mine, theirs = (cell_folder.folder_of(given["output"], r["recipe"]) for r in (first, other))
    lines = (mine / FILE).read_bytes().splitlines(keepends=True)
    forged = {"foreign": (theirs / FILE).read_bytes(), "fewer": b"".join(lines[:1]), "none": b""}
    (mine / FILE).write_bytes(forged[which])
    cell_folder.write_json(mine / "result.json", {**first, "records_sha256": digest(mine)})
    again, *_ = membench.run("bm25,full-context", "sequential,single", yardsticks=False, **given)
    assert "the cell is played anew" in " ".join(capfd.readouterr().err.split())
    assert again["summary"] == first["summary"]
    assert (mine / FILE).read_bytes() != forged[which]


def test_score_and_export_leave_unsound_cells_as_they_are(given: dict[str, Any], tmp_path: Path) -> None:
    membench.run("bm25", "sequential", **given)
    path = records(given)
    path.write_text(path.read_text().replace('"answer":"', '"answer":"x'))
    before = (path.parent / "result.json").read_bytes(), path.read_bytes()
    where = ["-o", str(given["output"])]
    scored = CliRunner().invoke(main, ["score", "--all", *where])
    exported = CliRunner().invoke(main, ["export", str(tmp_path / "all.csv"), *where])
    shown = CliRunner().invoke(main, ["show", path.parent.name, *where])
    for found, code in ((scored, 1), (exported, 1), (shown, 2)):
        assert found.exit_code == code, found.output
        assert f"{path} is not the file that the result was made of" in found.stderr
        assert len(found.stderr.splitlines()) == 1
    assert ((path.parent / "result.json").read_bytes(), path.read_bytes()) == before
    assert {line.split(",")[1] for line in (tmp_path / "all.csv").read_text().splitlines()[1:]} == {"gold"}


def test_score_waits_for_no_run(given: dict[str, Any]) -> None:
    membench.run("bm25", "sequential", yardsticks=False, **given)
    with cell_folder.lock(records(given).parent):
        scored = CliRunner().invoke(main, ["score", "--all", "-o", str(given["output"])])
    assert scored.exit_code == 1
    assert "is being played: score it when that run is over" in scored.stderr


def test_a_reference_that_another_run_takes_away_is_played_and_fidelity_measured(
    given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As beside `--overwrite`: the reference is gone when the other cells begin."""
    from membench.running.session import Session

    play = Session.play

    def gone(self: Session, cell: Any, number: int, count: int) -> dict[str, Any]:
        if not cell.is_gold:
            for result in given["output"].glob("gold--in-context--*/result.json"):
                cell_folder.clear(result.parent)
        return play(self, cell, number, count)

    monkeypatch.setattr(Session, "play", gone)
    *_, result = membench.run("bm25", "sequential", **given)
    rows = [json.loads(line) for line in records(given).read_text().splitlines()]
    assert all("fidelity_kl" in row["scores"] for row in rows if row["type"] == "answer")
    assert result["yardsticks"].keys() == {"in-context", "base"}
