"""Cells that fail, disks that are full, and records cut at any step: the same command goes on from there."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner

import membench
from membench.analysis.verify import verify
from membench.api import Answer, Ask, Dataset, Episode, Forget, Method, Metric, Recall, Task, Write
from membench.cli.app import main
from membench.model.llm import LLM
from membench.plugins import registry
from membench.store import cell_folder
from membench.store.records import read_records


@dataclass(frozen=True)
class Shy(Method[str]):
    """Answers by itself, and breaks as `trouble` says."""

    trouble: ClassVar[str] = ""

    def write(self, memory: str | None, contexts: Sequence[str]) -> str:
        if self.trouble == "second write" and memory:
            raise ZeroDivisionError("too much")
        if self.trouble == "file":
            Path("/nowhere/notes").read_text()
        return (memory or "") + contexts[0]

    def recall(self, memory: str | None, questions: Sequence[str]) -> Recall:
        return Recall()

    def answer(self, memory: str | None, questions: Sequence[str]) -> list[str]:
        return ["Ines Corde"] * (len(questions) - (self.trouble == "count"))


@dataclass(frozen=True)
class Again(Task):
    """Asks twice after each change of the memory."""

    trouble: ClassVar[str] = ""

    def episodes(self, data: Dataset, seed: int) -> Iterator[Episode]:
        for context in data.contexts:
            ask = Ask(context.questions)
            written = (Write((context,)), ask, ask, Write(data.contexts), ask)
            yield Episode(context.id, (ask, *written, Forget((context,)), ask, ask))

    def summarise(self, answers: Sequence[Answer]) -> dict[str, Metric]:
        if self.trouble:
            raise KeyError(self.trouble)
        return {"contains/all": Metric(sum(a.scores["contains"] for a in answers) / len(answers))}


@pytest.fixture(autouse=True)
def _plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """`shy` and `again` are there as if somebody had installed them."""
    load, here = registry.load, {"shy": Shy, "again": Again}
    monkeypatch.setattr(registry, "require", lambda kind, names: None)  # it is not registered
    monkeypatch.setattr(registry, "load", lambda kind, name: here.get(name) or load(kind, name))


@pytest.fixture(autouse=True)
def _quick(llm: LLM, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny model stays loaded between runs, and nothing waits for the disk."""
    monkeypatch.setattr(LLM, "load", lambda *_, **__: llm)
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def given(tiny: Path, data_file: Path, tmp_path: Path) -> dict[str, Any]:
    """Where to play; two contexts."""
    return {"data": f"jsonl:{data_file}", "model": str(tiny), "limit": 2, "output": tmp_path / "results"}


def records(result: dict[str, Any], given: dict[str, Any]) -> list[dict[str, Any]]:
    rows = read_records(cell_folder.folder_of(given["output"], result["recipe"]))
    return [{k: v for k, v in row.items() if k not in ("seconds", "cell_peak_bytes")} for row in rows]


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        ("second write", "ZeroDivisionError: too much"),
        ("file", "FileNotFoundError: [Errno 2] No such file or directory: '/nowhere/notes'"),
        ("count", "answer gave answers to 3 of 4 questions"),
    ],
)
def test_a_failing_method_keeps_its_reason_and_the_others_are_played(
    given: dict[str, Any], trouble: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Shy, "trouble", trouble)
    *_, failed, played = membench.run("shy,bm25", "sequential", **given)
    assert (failed["status"], failed["reason"]) == ("failed", reason)
    assert (failed["summary"], failed["yardsticks"]) == ({}, {})
    assert played["status"] == "done"
    assert all(verdict.ok for verdict in verify(given["output"]))
    monkeypatch.setattr(Shy, "trouble", "")
    *_, mended, _ = membench.run("shy,bm25", "sequential", **given)
    fresh = given | {"output": given["output"].parent / "fresh"}
    *_, whole, _ = membench.run("shy,bm25", "sequential", **fresh)
    assert mended["status"] == "done"
    assert records(mended, given) == records(whole, fresh)


def test_a_failing_cell_is_exit_status_1(given: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shy, "trouble", "count")
    arguments = ["--data", given["data"], "--model", given["model"], "-L", "2", "-o", str(given["output"])]
    result = CliRunner().invoke(main, ["run", "-m", "shy,bm25", "-t", "single", *arguments])
    assert result.exit_code == 1
    assert "answer gave answers to 3 of 4 questions" in result.stdout
    assert "bm25" in result.stdout


def test_a_task_that_cannot_sum_up_fails_its_cell_alone(given: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Again, "trouble", "no sum")
    results = membench.run("bm25", "again,single", **given)
    assert [r["reason"] for r in results] == [None, None, "KeyError: 'no sum'", None]


def test_a_method_with_answers_of_its_own_has_no_likelihoods(given: dict[str, Any]) -> None:
    *_, result = membench.run("shy", "single", **given)
    rows = [row for row in records(result, given) if row["type"] == "answer"]
    assert {row["answer"] for row in rows} == {"Ines Corde"}
    assert {key for row in rows for key in row["scores"]} == {
        "f1", "em", "contains", "contains_capped", "exclusive", "words",
    }  # fmt: skip
    assert result["summary"]["contains/all"]["contexts"] == {"vellmar": 0.5, "oxley": 0.0}


def test_records_cut_behind_any_step_are_completed_to_the_same(given: dict[str, Any]) -> None:
    """Also what an unchanged memory is asked again is not read again after a kill."""
    *_, result = membench.run("bm25", "again", **given)
    whole = records(result, given)
    asks = [row["read"] for row in whole if row["type"] == "ask"]
    assert asks == [2, 2, 0, 2, 2, 0] * 2
    folder = cell_folder.folder_of(given["output"], result["recipe"])
    lines = (folder / "records.jsonl").read_bytes().splitlines(keepends=True)
    for end in [k for k, row in enumerate(whole) if row["type"] != "answer"]:
        (folder / "records.jsonl").write_bytes(b"".join(lines[:end]))
        (folder / "result.json").unlink()
        *_, resumed = membench.run("bm25", "again", **given)
        assert records(resumed, given) == whole
        assert resumed["summary"] == result["summary"]


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        *((n, errno.ENOSPC, "no room on the disk for") for n in (1, 2, 4, 9, 25)),
        (4, errno.EIO, "cannot write"),
        (9, errno.EROFS, "cannot write"),
    ],
)
def test_a_disk_that_takes_no_more_is_one_line_and_loses_nothing(
    given: dict[str, Any], number: int, code: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Full, broken or read-only at some write: of a recipe, a snapshot, a record, the reference."""
    left, write = number, os.write

    def full(descriptor: int, data: bytes) -> int:
        nonlocal left
        left -= 1
        if left <= 0:
            raise OSError(code, os.strerror(code))
        return write(descriptor, data)

    arguments = ["run", "-m", "bm25", "-t", "single", "--data", given["data"], "--model", given["model"], "-L", "2"]
    command = [*arguments, "-o", str(given["output"])]
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        result = CliRunner().invoke(main, command)
    assert result.exit_code == 2, result.output
    assert result.stderr.splitlines()[-1].startswith(f"membench: {said}")
    assert "Traceback" not in result.stderr
    assert CliRunner().invoke(main, command).exit_code == 0
    *_, after = membench.run("bm25", "single", **given)
    fresh = given | {"output": given["output"].parent / "fresh"}
    *_, whole = membench.run("bm25", "single", **fresh)
    assert records(after, given) == records(whole, fresh)
