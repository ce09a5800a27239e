"""How long a cell will take, and when a run will be over."""

from __future__ import annotations

import io
import json
import runpy
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from membench.cli.app import main
from membench.estimates.estimate import MEASURED, Estimator, Rate, parameters, read_measured, write_measured
from membench.estimates.forecast import Forecast, spell
from membench.planning import plan
from membench.planning.request import Request
from membench.planning.validation import ModelInfo
from membench.running.progress import Reporter
from membench.store import cell_folder

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]


def cells(data_file: Path, methods: str = "ft-s,bm25", tasks: str = "single", **more: Any) -> list[plan.PlannedCell]:
    request = Request(
        tuple(methods.split(",")), tuple(tasks.split(",")), (f"jsonl:{data_file}",), yardsticks=False, **more
    )
    return plan.plan(request, ModelInfo("m", "", "", "float32", "plain"), "")


def result(
    cell: plan.PlannedCell, write: float, read: float, peak: float | None = None, **recipe: Any
) -> Mapping[str, Any]:
    costs = {"write_seconds_per_context": write, "read_seconds_per_question": read, "peak_bytes": peak}
    return {"recipe": cell.recipe | recipe, "status": "done", "costs": costs}


def test_the_nearest_stored_cells_are_scaled_by_writes_questions_and_epochs(data_file: Path) -> None:
    (single,) = cells(data_file, "ft-s", limit=3)  # 3 writes, 12 questions: each with the next context's as placebo
    (longer,) = cells(data_file, "ft-s", limit=3, method_settings=("epochs=24",))
    (sequential,) = cells(data_file, "ft-s", "sequential", limit=3)  # 3 writes, 3 · 6 questions
    estimator = Estimator([result(single, 10.0, 0.5, 2e9)])
    assert estimator.estimate(single).seconds == 3 * 10 + 12 * 0.5
    assert estimator.estimate(longer).seconds == 3 * 20 + 12 * 0.5
    found = estimator.estimate(sequential)
    assert (found.seconds, found.peak_bytes, found.rough) == (3 * 10 + 18 * 0.5, 2e9, False)
    assert found.source == "1 stored cell of ft-s on single"
    both = Estimator([*estimator.results, result(sequential, 20.0, 0.25)])
    assert both.estimate(sequential).seconds == 3 * 20 + 18 * 0.25
    assert both.estimate(sequential).source == "1 stored cell of ft-s on sequential"


def test_what_another_model_or_method_took_is_no_measure(
    data_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = tmp_path / "measured.txt"
    silent.write_text("# a run of one method\nparameters 1000\nft-s 1 1 12 1e9\n")
    monkeypatch.setattr("membench.estimates.estimate.MEASURED", silent)
    (cell,) = cells(data_file, "dpr", limit=3)
    (other,) = cells(data_file, "bm25", limit=3)
    found = Estimator([result(cell, 1.0, 1.0, model="n"), result(other, 1.0, 1.0)]).estimate(cell)
    assert (found.seconds, found.source) == (None, "nothing like it is stored, nor in the reference run")


def test_a_gpus_seconds_are_no_measure_of_a_cpu_nor_the_reverse(data_file: Path, tmp_path: Path) -> None:
    (cell,) = cells(data_file, "ft-s", limit=3)
    gpu = {"gpu": "Some GPU"}
    counts = {"contexts": 0, "questions": 0, "answered": 0}
    more: dict[str, Any] = {"schema": cell_folder.SCHEMA, "summary": {}, "counts": counts}
    for k, (versions, write) in enumerate(
        [({"device": "cpu", **gpu}, 10.0), ({"device": "cuda:1", **gpu}, 1.0), ({"gpu": None}, 10.0), (gpu, 1.0)]
    ):
        stored = {**result(cell, write, 0.0, seed=k), "versions": versions, **more}
        stored["id"] = cell_folder.cell_id(stored["recipe"])
        cell_folder.finish(cell_folder.open_cell(tmp_path, stored["recipe"]), stored, None)
    for device, seconds in (("cpu", 30.0), ("cuda", 3.0), ("cuda:0", 3.0)):
        found = Estimator.of(tmp_path, device).estimate(cell)
        assert (found.seconds, found.source) == (seconds, "2 stored cells of ft-s on single"), device
    assert Estimator.of(tmp_path, "mps").estimate(cell).rough


def test_a_cells_work_is_counted_once_for_all_stored_cells(data_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (cell,) = cells(data_file, "ft-s", limit=3)
    counted: list[plan.PlannedCell] = []

    def work(cell: plan.PlannedCell) -> tuple[int, int]:
        counted.append(cell)
        return 1, 1

    monkeypatch.setattr("membench.estimates.estimate._work", work)
    assert Estimator([result(cell, 10.0, 0.5)] * 5).estimate(cell).seconds == 10.5
    assert len(counted) == 1


def test_without_stored_cells_the_reference_runs_seconds_are_said_to_be_rough(data_file: Path, tiny: Path) -> None:
    known = read_measured(MEASURED.read_text(encoding="utf-8"))
    trained, text = cells(data_file, limit=3)
    rate = known.rates["ft-s"]
    found = Estimator([]).estimate(trained)
    assert found.seconds == pytest.approx(3 * rate.write + 12 * rate.read)
    assert found.source == f"rough: {known.where}"
    assert found.rough
    assert found.peak_bytes
    assert found.seconds
    like = Estimator([]).estimate(text)
    assert like.source == f"rough: {known.where}{'' if 'bm25' in known.rates else ', read as in-context'}"
    count = parameters(tiny)
    assert count
    small = Estimator([]).estimate(trained, tiny)
    scale = count / known.parameters
    assert (small.seconds, small.peak_bytes) == pytest.approx((found.seconds * scale, found.peak_bytes * scale))


def test_the_shipped_seconds_are_those_of_the_reference_run(monkeypatch: pytest.MonkeyPatch) -> None:
    script = str(ROOT / "benchmarks" / "measured.py")
    monkeypatch.setattr(sys, "argv", [script, "--check"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(script, run_name="__main__")
    assert end.value.code == 0
    stored = cell_folder.cells(ROOT / "results" / "reference")
    played = {c.recipe["method"] for c in stored if c.status == "done" and c.recipe["settings"] == c.recipe["defaults"]}
    assert read_measured(MEASURED.read_text("utf-8")).rates.keys() == played


def test_dry_run_says_where_each_estimate_comes_from(data_file: Path, tiny: Path, tmp_path: Path) -> None:
    given = ["run", "-t", "single", "--data", f"jsonl:{data_file}", "--model", str(tiny), "-o", str(tmp_path)]
    call = CliRunner().invoke
    rough = call(main, [*given, "-m", "selfparam", "--dry-run"]).stdout
    assert "rough: membench's reference run, smollm2-135m on " in rough
    assert "(roughly: 3 by another machine's seconds)" in rough
    assert call(main, [*given, "-m", "bm25", "-L", "2"]).exit_code == 0
    rows = json.loads(call(main, [*given, "-m", "bm25", "--dry-run", "--json"]).stdout)["cells"]
    assert {row["estimate"] for row in rows if row["method"] == "bm25"} == {"1 stored cell of bm25 on single"}
    assert {row["estimate"] for row in rows if row["method"] == "base"} == {"1 stored cell of base on gold"}
    assert [row["writes"] for row in rows] == [3, 3, 3]
    assert all(row["peak_GB"] for row in rows)


class Clock:
    """A clock that stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_forecast_starts_from_expectations_and_follows_the_pace() -> None:
    clock = Clock()
    forecast = Forecast([100.0, 50.0, 50.0], clock)
    assert forecast.left() == 200
    forecast.start(0)
    forecast.reach(0.0)
    clock.now = 50.0
    assert forecast.left_of_cell() == 50
    forecast.reach(0.5)  # as expected: half of 100 s
    assert forecast.left() == 150
    clock.now = 180.0
    forecast.reach(0.9)  # slower: its own pace counts for 0.9
    assert forecast.left_of_cell() == pytest.approx(0.1 * 100 + 0.9 * 200 - 180)
    clock.now = 200.0
    assert forecast.end() == 200
    assert forecast.left() == 200  # the other two take twice as long as well
    forecast.start(1)
    assert forecast.left() == 200


def test_a_forecast_without_expectations_follows_the_pace_alone() -> None:
    clock = Clock()
    forecast = Forecast([None, None], clock)
    forecast.start(0)
    forecast.reach(0.5)  # taken up in the middle
    assert forecast.left() is None
    clock.now = 10.0
    forecast.reach(0.75)
    assert forecast.left_of_cell() == 10
    clock.now = 20.0
    forecast.end()
    assert forecast.left() == 20


def test_lengths_of_time() -> None:
    assert [spell(s) for s in (0.2, 99, 100, 3600, 7500)] == ["0 s", "99 s", "2 min", "60 min", "2 h 05 min"]


def test_a_terminal_shows_what_runs_what_is_done_and_what_is_left() -> None:
    shown = io.StringIO()
    reporter = Reporter(Console(file=shown, force_terminal=True, width=150))
    reporter.expect([5.0, 60.0, 60.0])
    with reporter.cell("ft-s · single", 2, 3, 8) as step:
        step(2, "w0: asking [4] questions")
    text = shown.getvalue()
    for part in ("all cells", "1/3", "[2/3] ft-s · single — w0: asking [4] questions", "2/8", "left, until "):
        assert part in text, part
    assert "about 2 min left" in text  # a cell of 60 s is to come, and most of this one


def test_a_pipe_gets_a_line_at_each_end_of_a_cell() -> None:
    shown = io.StringIO()
    reporter = Reporter(Console(file=shown, width=150))
    reporter.expect([60.0, 60.0])
    with reporter.cell("ft-s · single", 1, 2, 8) as step:
        step(0, "w0")
    first, second = shown.getvalue().splitlines()
    assert first.startswith("[1/2] ft-s · single: 8 steps; about 2 min left in all, until ")
    assert second.startswith("[1/2] ft-s · single: 0 s; about ")


def test_a_failed_cell_is_neither_left_to_play_nor_a_measure() -> None:
    shown = io.StringIO()
    reporter = Reporter(Console(file=shown, width=150))
    reporter.expect([3600.0, 60.0, 60.0])
    with pytest.raises(ZeroDivisionError), reporter.cell("ft-s · single", 1, 3, 8) as step:
        step(0, f"w{1 // 0}")
    assert reporter.forecast.left() == 120  # as expected before: the failed cell's 0 s tell nothing of the others
    assert reporter.forecast.left_of_cell() == 0
    with reporter.cell("bm25 · single", 2, 3, 8):
        pass
    assert "[2/3] bm25 · single: 8 steps; about 2 min left in all" in shown.getvalue()


def test_a_line_in_a_pipe_is_one_line_however_long() -> None:
    shown = io.StringIO()
    Reporter(Console(file=shown)).say("failed: " + "because " * 40)
    assert shown.getvalue().count("\n") == 1


def test_what_was_timed_alone_in_another_form_does_not_stand_for_what_was_timed_beside() -> None:
    def result(method: str, task: str, beside: int | None) -> dict[str, object]:
        recipe = {"model": "m", "method": method, "task": task, "settings": {}, "defaults": {}}
        costs = {"write_seconds_per_context": 2.0, "read_seconds_per_question": 1.0, "beside": beside}
        versions = {"threads": 2, "cpu": "a processor", "machine": "a machine"}
        return {"status": "done", "recipe": recipe, "costs": costs, "versions": versions}

    given = [result("bm25", "single", None), result("bm25", "batch", 1)]
    given += [result("hybrid", "recommendation", None), result("hybrid", "single", 1)]
    assert read_measured(write_measured(given, "m", 1)).rates == {"bm25": Rate(2.0, 1.0), "hybrid": Rate(2.0, 1.0)}
