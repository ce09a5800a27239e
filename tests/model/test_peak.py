"""The peak of a cell is its own, reading counts, and what cannot be measured is not made up."""

from __future__ import annotations

import mmap
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

import membench
from membench.api import Recall
from membench.model.meter import Peak, peak_bytes
from membench.plugins import registry
from membench.store import cell_folder
from membench.store.cell_folder import Cell
from membench.store.costs import costs_of
from membench.tables.leaderboard import tables
from membench.tables.render import grids

CPU = torch.device("cpu")
LARGE = 200_000_000
needs_reset = pytest.mark.skipif(
    not os.access("/proc/self/clear_refs", os.W_OK), reason="the system cannot reset the high-water mark"
)


def hold(size: int) -> None:
    """Have so many bytes resident for a moment: pages of their own, which no allocator keeps or has at hand."""
    with mmap.mmap(-1, size) as pages:
        pages[:: mmap.PAGESIZE] = b"x" * len(range(0, size, mmap.PAGESIZE))


@needs_reset
def test_what_was_held_before_is_no_part_of_the_peak() -> None:
    first = Peak(CPU)
    hold(LARGE)
    high = first.bytes()
    low = Peak(CPU).bytes()
    assert high is not None
    assert low is not None
    assert high - low > 0.9 * LARGE


def test_without_a_reset_there_is_a_number_only_where_it_is_the_cells_own(tmp_path: Path) -> None:
    before = peak_bytes()
    peak = Peak(CPU, tmp_path / "none")
    assert peak.bytes() in (None, peak_bytes())
    hold(before + LARGE)
    found = peak.bytes()
    assert found is not None
    assert found > before
    assert Peak(CPU, tmp_path / "none").bytes() is None


@needs_reset
def test_cells_of_one_process_have_peaks_of_their_own_and_tables_show_them(
    tiny: Path, data_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bm25 = registry.load("methods", "bm25")
    recall = bm25.recall

    def greedy(self: Any, memory: Any, questions: Sequence[str]) -> Recall:
        hold(LARGE)
        found: Recall = recall(self, memory, questions)
        return found

    monkeypatch.setattr(bm25, "recall", greedy)
    given = {"data": f"jsonl:{data_file}", "model": str(tiny), "output": tmp_path / "r", "limit": 2}
    membench.run("bm25,full-context", "single", **given)
    cells = cell_folder.cells(tmp_path / "r")
    peaks = {c.recipe["method"]: c.result["costs"]["cell_peak_bytes"] for c in cells}
    assert peaks["bm25"] > peaks["full-context"] + 0.8 * LARGE  # reading is measured, and it was before the other cell
    (table,) = tables(cells, task="single")
    head, *lines = grids(table)["answers and cost"]
    assert all(line[head.index("peak")].endswith("B") for line in lines)
    old = [Cell(c.folder, {**c.result, "costs": as_of_old(c.result["costs"])}) for c in cells]
    (table,) = tables(old, task="single")
    assert "peak" not in grids(table)["answers and cost"][0]


def as_of_old(costs: dict[str, Any]) -> dict[str, Any]:
    return {**{name: cost for name, cost in costs.items() if name != "cell_peak_bytes"}, "peak_bytes": 5}


def test_records_of_the_first_versions_have_the_processes_peak_alone() -> None:
    write = {"type": "write", "episode": "e", "step": 0, "contexts": ["c"], "seconds": 1.0, "tokens": {}, "memory": "m",
             "state_bytes": 1, "growth_bytes": 0}  # fmt: skip
    ask = {"type": "ask", "episode": "e", "step": 1, "questions": 1, "seconds": 1.0, "tokens": {}}
    old = costs_of([{**write, "peak_bytes": 7}, ask])
    assert (old["peak_bytes"], old["cell_peak_bytes"]) == (7, None)
    new = costs_of([{**write, "cell_peak_bytes": 7}, {**ask, "cell_peak_bytes": 9}])
    assert (new["peak_bytes"], new["cell_peak_bytes"]) == (None, 9)
