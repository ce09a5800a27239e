"""advise: one seed is a caveat, of what is not resolved the cheapest is chosen, and one line has the answer."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from membench.analysis.advise import Advice, Need, advise
from membench.cli import app
from membench.errors import MembenchError
from membench.plugins import registry
from membench.store import cell_folder
from membench.store.cell_folder import Cell
from membench.store.recipe import cell_id
from membench.store.record_log import RecordLog
from membench.store.records import digest
from tests.support.table_cells import cell, wave

WRITE = {
    "type": "write", "episode": "all", "step": 0, "contexts": ["c0"], "seconds": 1.0, "tokens": {}, "memory": "m",
    "state_bytes": 1000, "growth_bytes": 0,
}  # fmt: skip
NEED = Need(contexts=100, questions=1000)


def priced(method: str, scores: Sequence[float], seconds: float, metric: str = "contains/all", **more: Any) -> Cell:
    """A cell with costs: a kilobyte a context, so many seconds a question."""
    plain = cell(method, scores, **more)
    summary = {metric: plain.result["summary"]["contains/all"]}
    costs = {
        **plain.result["costs"], "write_seconds_per_context": 1.0, "read_seconds_per_question": seconds,
        "state_bytes": 20e3, "state_bytes_per_context": 1e3, "deployed_growth_bytes": 0.0,
    }  # fmt: skip
    return replace(plain, result={**plain.result, "summary": summary, "costs": costs})


def advised(*cells: Cell, need: Need = NEED) -> Advice:
    (found,) = advise(cells, need)
    return found


GOOD, CHEAP, POOR = (
    priced("bm25", wave(0.7), 0.4),
    priced("dpr", wave(0.69, 1), 0.3),
    priced("raptor", wave(0.2, 2), 0.1),
)


def test_of_what_is_not_resolved_from_the_best_the_cheapest_is_chosen() -> None:
    found = advised(GOOD, CHEAP, POOR)
    assert found.choice == "dpr"  # the cheapest of all is resolved to be worse
    assert found.because.startswith("not resolved from bm25 (0.70; 100 kB, 500 s), where a difference of 0.")
    assert found.because.endswith("; cheapest of these")
    alone = advised(GOOD, POOR)
    assert alone.choice == "bm25"
    assert alone.because.startswith("above every other within the limits; next is raptor")


def test_one_seed_that_looks_worse_is_named_and_does_not_block() -> None:
    found = advised(GOOD, POOR, priced("selfparam", wave(0.15), 0.01, trained=9.0))
    assert found.choice == "bm25"
    assert found.because.endswith(". selfparam (0.15): worse by observation, with one seed")


def test_one_seed_that_looks_better_is_worth_more_seeds() -> None:
    found = advised(GOOD, POOR, priced("ft-c", wave(0.9), 0.01, trained=9.0))
    assert found.choice == "bm25"
    said = "ft-c (0.90): better than it by observation, with one seed: worth playing with more seeds (--seeds 0,1,2)"
    assert said in found.because
    several = advised(*(priced(m, wave(0.5), 0.1, trained=9.0) for m in ("ft-c", "ft-s")))
    assert several.choice is None
    assert several.because.startswith("the data do not decide: one seed each")


def test_what_is_not_above_the_floor_is_never_chosen_for_its_price() -> None:
    noise = [0.9 * (k % 2) - 0.4 for k in range(20)]
    found = advised(GOOD, priced("dpr", noise, 0.01))
    assert found.choice == "bm25"


def test_intervals_of_shares_end_at_nothing_and_at_all() -> None:
    wide = priced("bm25", [1.0] * 9 + [0.0], 0.4)
    (one,) = advised(wide).candidates
    assert one.high is not None
    assert one.score < one.high < 1
    harm = cell("bm25", [1.0] * 9 + [0.0], task="contamination")
    told = {"damage/all": harm.result["summary"]["contains/all"]}
    found = advise([GOOD, replace(harm, result={**harm.result, "summary": told})], NEED, task="single")
    assert 0.95 < (found[0].candidates[0].damage or 0) < 1
    (few,) = advised(priced("bm25", [0.1, 0.9, 0.5], 0.4)).candidates
    assert (few.low, few.high) == (None, None)


def test_recommendations_are_advised_on_by_recall() -> None:
    found = advised(
        priced("bm25", wave(0.7), 0.4, "recall@5/all", task="recommendation"),
        priced("dpr", wave(0.2, 1), 0.3, "recall@5/all", task="recommendation"),
    )
    assert (found.metric, found.choice) == ("recall@5/all", "bm25")


def test_the_last_line_is_the_answer_with_units_and_cells(tmp_path: Path) -> None:
    for one in (GOOD, POOR):
        folder = cell_folder.open_cell(tmp_path / "inner", one.recipe)
        with RecordLog.open(folder) as log:
            log.append(WRITE)
        cell_folder.finish(folder, {**one.result, "schema": 1, "id": cell_id(one.recipe)}, digest(folder))
    size = ["--contexts", "100", "--questions", "1000"]
    shown = CliRunner().invoke(app.main, ["advise", *size, str(tmp_path / "inner")])
    ident = cell_id(GOOD.recipe)[:8]
    said = f"answer: single (20 contexts, 9 questions): bm25, 100 kB, 500 s, cells {ident}"
    assert shown.stdout.splitlines()[-1] == said, shown.stdout + shown.stderr
    none = CliRunner().invoke(app.main, ["advise", *size, "--max-bytes", "10", str(tmp_path / "inner")])
    assert none.stdout.splitlines()[-1] == "answer: no choice"
    outside = CliRunner().invoke(app.main, ["advise", *size, str(tmp_path)])
    assert outside.exit_code == 2
    assert outside.stderr.startswith(
        f"membench: no cell is stored in {tmp_path} itself: name a folder that holds some:"
    )
    assert outside.stderr.rstrip().endswith(str(tmp_path / "inner"))


def test_what_a_method_states_is_read_without_importing_it() -> None:
    for entry in registry.listing("methods"):
        assert registry.stated("methods", entry.name, "storage") == entry.storage
    code = "import sys; from membench.plugins import registry; registry.stated('methods', 'selfparam', 'storage')"
    subprocess.run([sys.executable, "-c", f"{code}; assert 'torch' not in sys.modules"], check=True)
    assert registry.stated("methods", "of-nobody", "storage") == ""


def test_nothing_to_advise_on_is_refused() -> None:
    with pytest.raises(MembenchError, match="no stored table has a method"):
        advise([], NEED)
