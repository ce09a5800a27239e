"""benchmarks/fair_metrics.py: which orders agree, and which resolved pairs another score reverses."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path

import pytest

from membench.store.cell_folder import Cell
from membench.tables.leaderboard import tables
from tests.support.table_cells import cell, wave

ROOT = Path(__file__).parents[2]
with pytest.MonkeyPatch.context() as _patch:  # no longer than that: other libraries look for modules by name too
    _patch.syspath_prepend(str(ROOT / "benchmarks"))
    fair_metrics = importlib.import_module("fair_metrics")

MEANS = {"bm25": 0.8, "dpr": 0.55, "raptor": 0.3, "infllm": 0.1}


def played(reverse: str = "") -> list[Cell]:
    """Four methods, their scores alike but for one that is reversed."""
    out = []
    for k, (method, mean) in enumerate(MEANS.items()):
        plain = cell(method, wave(mean, k), task="batch", model="smollm2-135m")
        found = plain.result["summary"]["contains/all"]
        turned = cell(method, wave(0.9 - mean, k)).result["summary"]["contains/all"]
        names = ("contains", "words", *fair_metrics.OTHERS)
        summary = {f"{name}/all": turned if name == reverse else found for name in names}
        out.append(replace(plain, result={**plain.result, "summary": summary}))
    return out


@pytest.mark.parametrize(("reverse", "tau", "counts"), [("", 1.0, (6, 6, 0)), ("f1", -1.0, (6, 0, 6))])
def test_a_score_that_turns_the_order_is_told(reverse: str, tau: float, counts: tuple[int, int, int]) -> None:
    (table,) = tables(played(reverse))
    assert fair_metrics.tau(table, "f1") == pytest.approx(tau)
    text = fair_metrics.fair(played(reverse))
    assert f"Of {counts[0]} pairs that contains tells apart all four others tell {counts[1]} apart" in text
    assert text.rstrip().endswith("| " + " | ".join(map(str, counts)) + " |")
    assert [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| ")][2:6] == [
        f"| {method}" for method in MEANS
    ]
