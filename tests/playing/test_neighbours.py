"""Seconds that were measured while other cells were played are known, marked, and compared with none measured alone."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

import membench
from membench.analysis.compare import compare
from membench.model.llm import LLM
from membench.playing.neighbours import Neighbours
from membench.store import cell_folder
from membench.store.records import digest, read_records
from membench.tables.leaderboard import tables
from membench.tables.render import render
from tests.support.stored_cells import put_cell, recipe


@contextlib.contextmanager
def another(killed: bool = False) -> Iterator[int]:
    """A process that plays meanwhile, or has been killed while it played."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        with Neighbours().here():
            os.write(write, b"here")
            signal.pause()
    os.read(read, 4)
    if killed:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    yield child
    if not killed:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_others_are_counted_while_they_play() -> None:
    mine = Neighbours()
    with mine.here():
        assert mine.since() == 0
        with another(), another():
            assert mine.since() == 2
        assert mine.since() == 2  # they were there when this stretch began
        assert mine.since() == 0


def test_one_that_comes_and_goes_within_a_step_is_not_missed() -> None:
    mine, other = Neighbours(), Neighbours()
    with mine.here():
        with other.here():
            pass
        assert mine.since() == 1
        assert mine.since() == 0


def test_a_killed_one_does_not_count() -> None:
    with another(killed=True):
        mine = Neighbours()
        with mine.here():
            assert mine.since() == 0


def test_records_and_costs_say_so(
    tiny: Path, data_file: Path, tmp_path: Path, llm: LLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LLM, "load", lambda *_, **__: llm)
    given = {"data": f"jsonl:{data_file}", "model": str(tiny), "limit": 2, "yardsticks": False}
    (alone,) = membench.run("bm25", "sequential", output=tmp_path / "alone", **given)
    with another():
        (beside,) = membench.run("bm25", "sequential", output=tmp_path / "beside", **given)
    assert (alone["costs"]["beside"], beside["costs"]["beside"]) == (None, 1)
    closing = [r for r in read_records(next((tmp_path / "beside").glob("*--*"))) if r["type"] != "answer"]
    assert [r["beside"] for r in closing] == [1] * 4
    assert alone["summary"] == beside["summary"]


def mark(root: Path, method: str) -> None:
    """Store a cell anew as played beside another one."""
    (cell,) = [c for c in cell_folder.cells(root) if c.recipe["method"] == method]
    path = cell.folder / "records.jsonl"
    path.write_text(path.read_text().replace('"seconds":', '"beside": 1, "seconds":'))
    costs = cell_folder.summarise_cell(None, read_records(cell.folder))[1]
    cell_folder.finish(cell.folder, {**cell.result, "costs": costs}, digest(cell.folder))


def test_tables_mark_such_seconds_and_compare_them_with_none_measured_alone(tmp_path: Path) -> None:
    for method in ("bm25", "dpr", "raptor"):
        put_cell(tmp_path, recipe("single", method), contexts=6)
    before = compare(cell_folder.cells(tmp_path), "bm25", "dpr")[0]
    assert {"write_seconds_per_context", "read_seconds_per_question"} & before.cost_ratios.keys()
    mark(tmp_path, "dpr")
    cells = cell_folder.cells(tmp_path)
    (table,) = tables(cells)
    dpr = next(e for e in table.entries if e.method == "dpr")
    assert dpr.beside
    assert not {"w", "r"} & set(dpr.front)
    assert {"w", "r"} <= {letter for e in table.entries for letter in e.front}
    assert "‖" in render([table], "md", 160)
    found = compare(cells, "bm25", "dpr")[0]
    assert not [name for name in found.cost_ratios if "seconds" in name]
    assert "beside other cells" in (found.break_even.why or "")
    mark(tmp_path, "bm25")
    assert compare(cell_folder.cells(tmp_path), "bm25", "dpr")[0].cost_ratios == before.cost_ratios


def test_of_several_seeds_those_measured_alone_count(tmp_path: Path) -> None:
    for seed in (0, 1):
        put_cell(tmp_path, recipe("sequential", "bm25", seed=seed))
    first, second = cell_folder.cells(tmp_path)
    lines = (second.folder / "records.jsonl").read_text().replace('"seconds":', '"beside": 3, "seconds":')
    (second.folder / "records.jsonl").write_text(lines)
    costs = cell_folder.summarise_cell(None, read_records(second.folder))[1]
    other = {**costs, "write_seconds_per_context": 1e6}
    cell_folder.finish(second.folder, {**second.result, "costs": other}, digest(second.folder))
    ((entry,),) = (table.entries for table in tables(cell_folder.cells(tmp_path)))
    assert (entry.beside, len(entry.seeds)) == (False, 2)
    assert entry.cost("write_seconds_per_context") == first.result["costs"]["write_seconds_per_context"]
