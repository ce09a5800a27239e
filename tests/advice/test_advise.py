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

from membench.advice.advise import Advice, Need, advise
from membench.advice.answer_once import answer
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
ANSWER = {
    "type": "answer", "episode": "all", "written": 1, "position": 1, "context": "c0", "tags": {}, "text": "Who?",
    "gold": ["Ines"], "answer": "Ines", "scores": {"contains": 1.0},
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


def stored(root: Path, *those: Cell) -> Path:
    for one in those:
        folder = cell_folder.open_cell(root, one.recipe)
        with RecordLog.open(folder) as log:
            log.append(WRITE)
        cell_folder.finish(folder, {**one.result, "schema": 1, "id": cell_id(one.recipe)}, digest(folder))
    return root


def test_the_command_answers_once_with_units_and_cells(tmp_path: Path) -> None:
    inner = stored(tmp_path / "inner", GOOD, POOR)
    size = ["--texts", "100", "--questions-per-month", "1000"]
    shown = CliRunner().invoke(app.main, ["advise", *size, "--price-per-hour", "3.6", str(inner)])
    first, numbers, rests, *_ = shown.stdout.splitlines()
    assert first.startswith("bm25: above every other within the limits; next is raptor"), shown.stdout + shown.stderr
    assert "contains 0.70 [0." in numbers
    assert "100 kB, 100 s to write all texts, 500 s a month (price 0.50)" in numbers
    assert rests.endswith(f"cells {cell_id(GOOD.recipe)[:8]}")
    far = CliRunner().invoke(app.main, ["advise", "--texts", "2000", "--questions-per-month", "5000", str(inner)])
    lines = far.stdout.splitlines()
    assert (far.exit_code, lines[0][:23]) == (3, "no choice: 2,000 texts ")
    assert lines[1].endswith("membench run -m bm25,raptor -t batch --data worlds --model tiny --limit 200")
    assert lines[-1].startswith("then ask again, with results behind it; with --data folder:DIR it is measured on your")
    narrow = CliRunner(env={"COLUMNS": "50"}).invoke(app.main, ["advise", *size, str(inner), "--color", "always"])
    assert max(map(len, narrow.stdout.splitlines())) <= 50
    assert " ".join(narrow.stdout.split()) == " ".join(
        CliRunner().invoke(app.main, ["advise", *size, str(inner)]).stdout.split()
    )
    none = CliRunner().invoke(app.main, ["advise", *size, "--max-bytes", "10", str(inner)])
    assert (none.exit_code, none.stdout.splitlines()[0]) == (3, "no choice: no method keeps the limits")
    outside = CliRunner().invoke(app.main, ["advise", *size, str(tmp_path)])
    assert outside.exit_code == 2
    assert outside.stderr.startswith(
        f"membench: no cell is stored in {tmp_path} itself: name a folder that holds some:"
    )
    assert outside.stderr.rstrip().endswith(str(tmp_path / "inner"))


@pytest.mark.parametrize(("texts", "claims"), [(200, True), (201, False), (2000, False)])
def test_nothing_is_claimed_beyond_ten_times_what_was_measured(texts: int, claims: bool) -> None:
    found = answer([GOOD, POOR], Need(texts, 1000))
    assert (found.choice is not None) == claims
    if not claims:
        limit = -(-texts // 10)
        assert found.because.startswith(f"{texts:,} texts are more than 10 times the 20 that")
        (gap,) = found.missing
        said = f"membench run -m bm25,raptor -t batch --data worlds --model tiny --limit {limit}"
        assert (gap.need, gap.command) == ("size", said)


def test_one_text_at_a_time_tells_nothing_of_many() -> None:
    alone = [replace(c, result={**c.result, "costs": {**c.result["costs"], "state_bytes": 1e3}}) for c in (GOOD, POOR)]
    assert answer(alone, Need(1, 10)).choice == "bm25"
    for texts in (2, 10, 11):
        several = answer(alone, Need(texts, 10))
        assert several.choice is None
        assert several.because.startswith("what is stored of single wrote one text at a time")
        assert several.missing[0].command.endswith("-t batch --data worlds --model tiny --limit 2")
    costs = {"state_bytes": 2e3, "state_bytes_per_context": 1e3}
    two = [
        replace(c, result={**c.result, "costs": {**c.result["costs"], **costs}})
        for c in (priced(name, wave(0.7), 0.4, task="batch", limit=2) for name in ("bm25", "raptor"))
    ]
    assert answer([*alone, *two], Need(10, 10)).choice, "what was advised answers"


def test_a_need_that_nothing_measured_tells_of_names_what_measures_it(tmp_path: Path) -> None:
    cells = cell_folder.cells(stored(tmp_path, GOOD, POOR))
    found = answer(cells, Need(100, 10, delete=True, p95=1.0, max_damage=0.5))
    assert found.choice is None
    assert found.because == "nothing stored tells of damage, p95, deletion"
    commands = {gap.need: gap.command for gap in found.missing}
    assert "-t contamination" in commands["damage"]
    assert "-t latency" in commands["p95"]
    assert commands["deletion"] == "" or "-t deletion" in commands["deletion"]
    exact, mixed = (
        replace(c, result={**c.result, "summary": {**c.result["summary"], "exact/forgotten": {"value": share}}})
        for c, share in ((GOOD, 1.0), (POOR, 0.9))
    )
    told = answer([exact, mixed], Need(100, 10, delete=True))
    assert told.choice == "bm25"
    assert next(c for c in told.candidates if c.label == "raptor").misses == ("deletion not exact",)
    one = answer([exact, CHEAP, POOR], Need(100, 10, delete=True))
    assert one.choice == "bm25"
    assert next(c for c in one.candidates if c.label == "dpr").misses == ("deletion not measured",)


def test_a_wait_is_that_of_questions_asked_one_at_a_time(tmp_path: Path) -> None:
    slow = priced("bm25", wave(0.7), 0.4, task="latency")
    folder = cell_folder.open_cell(tmp_path, slow.recipe)
    with RecordLog.open(folder) as log:
        log.append(WRITE)
        for k in range(40):
            log.append({**ANSWER, "step": k + 1, "question": f"q{k}"})
            ask = {"type": "ask", "episode": "all", "step": k + 1, "questions": 1, "tokens": {}}
            log.append({**ask, "seconds": (k + 1) / 10})
    cell_folder.finish(folder, {**slow.result, "schema": 1, "id": cell_id(slow.recipe)}, digest(folder))
    cells = cell_folder.cells(stored(tmp_path, GOOD, POOR))
    found = answer(cells, Need(100, 10, p95=4.0), task="single")
    assert found.choice == "bm25"
    assert found.chosen is not None
    assert found.chosen.p95 == pytest.approx(3.8), "38 of 40"
    assert answer(cells, Need(100, 10, p95=3.0), task="single").choice is None


def test_texts_written_anew_cost_their_seconds_each_time_and_must_be_done_in_time() -> None:
    once, weekly = (answer([GOOD, POOR], Need(100, 1000, update=u)).chosen for u in ("never", "weekly"))
    assert once is not None
    assert weekly is not None
    assert (once.total_seconds or 0) == pytest.approx(500)
    assert (weekly.total_seconds or 0) == pytest.approx(400 + 100 * 365 / 12 / 7)
    slow = [
        replace(c, result={**c.result, "costs": {**c.result["costs"], "write_seconds_per_context": 1000.0}})
        for c in (GOOD, POOR)
    ]
    assert answer(slow, Need(100, 1, update="weekly")).choice == "bm25"
    daily = answer(slow, Need(100, 1, update="daily"))
    assert daily.choice is None
    assert daily.candidates[0].misses == ("write seconds 100,000 s above 86,400 s",)


def test_what_a_method_states_is_read_without_importing_it() -> None:
    for entry in registry.listing("methods"):
        assert registry.stated("methods", entry.name, "storage") == entry.storage
    code = "import sys; from membench.plugins import registry; registry.stated('methods', 'selfparam', 'storage')"
    subprocess.run([sys.executable, "-c", f"{code}; assert 'torch' not in sys.modules"], check=True)
    assert registry.stated("methods", "of-nobody", "storage") == ""


def test_nothing_to_advise_on_is_refused() -> None:
    with pytest.raises(MembenchError, match="no stored table has a method"):
        advise([], NEED)


def test_what_takes_two_texts_is_no_answer_unless_it_is_asked_for() -> None:
    """However many methods were played there."""
    plain = [priced(name, wave(0.7, k), 0.4, task="batch") for k, name in enumerate(("bm25", "dpr"))]
    more = [priced(n, wave(0.1, k), 0.4, task="composition") for k, n in enumerate(("hybrid", "raptor", "rerank"))]
    assert answer([*plain, *more], NEED).rests_on.startswith("batch")
    assert answer([*plain, *more], NEED, task="composition").rests_on.startswith("composition")


def test_a_command_to_play_has_the_settings_of_the_rows_that_it_names() -> None:
    cells = [priced("bm25", wave(0.7), 0.4, settings={"k": 3}), priced("dpr", wave(0.6, 1), 0.4)]
    found = answer(cells, replace(NEED, contexts=100_000))
    one, other = found.missing[0].command.split(" && ")
    assert one.startswith("membench run -m dpr -t batch")
    assert other.startswith("membench run -m bm25 -M bm25.k=3 -t batch")
    cells = [priced("bm25", wave(0.7), 0.4, method_version=k) for k in (1, 2)]
    assert "version" not in answer(cells, replace(NEED, contexts=100_000)).missing[0].command
