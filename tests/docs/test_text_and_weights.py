"""benchmarks/text_and_weights.py: which stored cells stand at which share of the text."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from membench.analysis.verify import verify
from membench.errors import MembenchError
from membench.store.cell_folder import Cell
from tests.support.table_cells import cell, wave

ROOT = Path(__file__).parents[2]
with pytest.MonkeyPatch.context() as _patch:  # no longer than that: other libraries look for modules by name too
    _patch.syspath_prepend(str(ROOT / "benchmarks"))
    text_and_weights = importlib.import_module("text_and_weights")


def played(method: str, mean: float, **settings: Any) -> Cell:
    one = cell(method, wave(mean), task="batch", model="smollm2-135m", settings=settings, defaults={"retained": 1.0})
    summary = one.result["summary"]
    views = {f"contains/{view}": summary["contains/all"] for view in text_and_weights.VIEWS}
    return replace(one, result={**one.result, "summary": {**summary, **views}})


def test_the_ends_are_cells_of_simpler_methods(tmp_path: Path) -> None:
    table = text_and_weights.shown([played("base", 0.1), played("bm25", 0.8), played("bm25+base", 0.5, retained=0.5)])
    lines = [line.split(" | ")[:2] for line in text_and_weights.grid(table).splitlines()[2:]]
    assert [(share.strip("| "), said[:4]) for share, said in lines] == [
        ("0.00", "0.10"),
        ("0.50", "0.50"),
        ("1.00", "0.80"),
    ]
    text_and_weights.draw(table, tmp_path / "drawn.png")
    assert (tmp_path / "drawn.png").stat().st_size > 1000


def test_nothing_stored_is_said() -> None:
    with pytest.raises(MembenchError, match="nothing is stored of batch worlds"):
        text_and_weights.shown([])


def test_the_stored_sweep_is_sound() -> None:
    verdicts = verify(text_and_weights.SWEEP)
    assert verdicts
    assert [verdict.problems for verdict in verdicts if verdict.problems] == []
