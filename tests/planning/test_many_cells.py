"""What a run of many seeds costs beside its play grows with the cells, and not with their square."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from membench.planning import plan as planning
from membench.planning.request import Request
from membench.planning.validation import ModelInfo
from membench.running.yardsticks import Yardsticks

SEEDS = 40


def test_each_cell_is_hashed_once_and_each_text_once_for_all(
    data_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: Counter[str] = Counter()

    def counted(name: str) -> None:
        original = getattr(planning, name)

        def call(value: Any) -> Any:
            counts[name] += 1
            return original(value)

        monkeypatch.setattr(planning, name, call)

    counted("cell_id")
    counted("data_hash")
    request = Request(("bm25",), ("single",), (f"jsonl:{data_file}",), seeds=tuple(range(SEEDS)), output=tmp_path)
    cells = planning.plan(request, ModelInfo("tiny", "", "0", "float32", "plain"), "0")
    assert len(cells) == SEEDS + 2
    yardsticks = Yardsticks(cells, tmp_path)
    for cell in cells:
        expected = [] if cell.is_gold else ["in-context", "base"]
        assert [gold.method_name for gold in yardsticks.of(cell) if not cell.is_gold] == expected
    assert counts["cell_id"] <= 2 * len(cells)
    assert counts["data_hash"] <= 4
