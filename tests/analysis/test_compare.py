"""compare: what counts as won where a metric is a ratio, where less is better, and what one seed cannot say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from membench.analysis.compare import compare
from membench.cli import app
from membench.planning.restore import task_of
from membench.store import cell_folder
from membench.store.recipe import cell_id
from membench.store.records import digest
from membench.store.summary import summarise_cell
from tests.support.stored_cells import recipe

CONTEXTS, EACH = 6, 3
KNOWN = {f"c{k}-q{n}" for k in range(CONTEXTS) for n in range(EACH) if n < 1 + k % 2}  # right before writing


def answer(question: str, written: int, right: bool) -> dict[str, Any]:
    context = question.partition("-")[0]
    return {
        "type": "answer", "episode": context, "step": 2 * written, "written": written, "position": 1,
        "question": question, "context": context, "tags": {"kind": "unrelated"}, "text": "Which?", "gold": ["gold"],
        "answer": "gold" if right else "other", "scores": {"contains": float(right)},
    }  # fmt: skip


def put(root: Path, method: str, damaged: Sequence[str], trained: float = 0.0, seconds: float = 1.0) -> None:
    """A cell of contamination that has these questions wrong after writing, of those that the base model knows."""
    records: list[dict[str, Any]] = []
    asked = {"type": "ask", "questions": EACH, "tokens": {}, "seconds": 1 / seconds}
    for k in range(CONTEXTS):
        names = [f"c{k}-q{n}" for n in range(EACH)]
        records += [answer(name, 0, name in KNOWN) for name in names]
        records.append({**asked, "episode": f"c{k}", "step": 0})
        records.append({
            "type": "write", "episode": f"c{k}", "step": 1, "contexts": [f"c{k}"], "memory": "m", "seconds": seconds,
            "tokens": {"reader": {"trained": trained}}, "state_bytes": 9, "growth_bytes": 9,
        })  # fmt: skip
        records += [answer(name, 1, name in KNOWN and name not in damaged) for name in names]
        records.append({**asked, "episode": f"c{k}", "step": 2})
    what = recipe("contamination", method, limit=CONTEXTS)
    folder = cell_folder.open_cell(root, what)
    (folder / "records.jsonl").write_text("".join(f"{json.dumps(r)}\n" for r in records), encoding="utf-8")
    summary, costs, counts = summarise_cell(task_of(what), records)
    cell_folder.finish(folder, {
        "schema": cell_folder.SCHEMA, "id": cell_id(what), "status": "done", "reason": None, "recipe": what,
        "summary": summary, "yardsticks": {}, "costs": costs, "counts": counts,
    }, digest(folder))  # fmt: skip


def test_of_a_ratio_the_questions_in_its_denominator_are_won_or_lost(tmp_path: Path) -> None:
    """9 of 18 questions are known. One method damages q0 of c0 alone; the other all but that and c1's."""
    put(tmp_path, "bm25", ["c0-q0"])
    put(tmp_path, "dpr", sorted(KNOWN - {"c0-q0", "c1-q0", "c1-q1"}))
    (found,) = compare(cell_folder.cells(tmp_path), "bm25", "dpr", "damage")
    assert (found.score_a, found.score_b) == pytest.approx((1 / 9, 6 / 9), abs=1e-6)
    assert (found.wins, found.losses, found.ties, found.outside) == (6, 1, 2, 9)  # less is better, so bm25 wins
    (other,) = compare(cell_folder.cells(tmp_path), "dpr", "bm25", "damage")
    assert (other.wins, other.losses, other.ties, other.outside) == (1, 6, 2, 9)
    text = CliRunner().invoke(app.main, ["compare", "bm25", "dpr", "--metric", "damage", "-o", str(tmp_path)]).stdout
    assert "| questions won, lost, tied | 6, 1, 2; 9 more are outside the metric |" in text


def test_where_less_is_better_the_verdict_says_so(tmp_path: Path) -> None:
    put(tmp_path, "bm25", [])
    put(tmp_path, "dpr", sorted(KNOWN))
    (found,) = compare(cell_folder.cells(tmp_path), "dpr", "bm25", "damage")
    assert found.verdict == "bm25 is lower, so better"


def test_one_seed_of_a_trained_method_has_no_minimum_detectable_effect(tmp_path: Path) -> None:
    put(tmp_path, "bm25", ["c0-q0"])
    put(tmp_path, "ft-c", ["c1-q0", "c2-q0"], trained=100)
    (found,) = compare(cell_folder.cells(tmp_path), "bm25", "ft-c", "damage")
    assert found.mde is None
    text = CliRunner().invoke(app.main, ["compare", "bm25", "ft-c", "--metric", "damage", "-o", str(tmp_path)]).stdout
    assert "| minimum detectable effect | none: one seed says nothing about training |" in text


def test_no_minimum_detectable_effect_is_below_nothing(tmp_path: Path) -> None:
    put(tmp_path, "bm25", ["c0-q0"])
    put(tmp_path, "dpr", ["c0-q0"])
    text = CliRunner().invoke(app.main, ["compare", "bm25", "dpr", "--metric", "damage", "-o", str(tmp_path)]).stdout
    assert "| minimum detectable effect | 0.000 with 80 % power |" in text
    assert "-0.000" not in text


def test_a_break_even_without_an_interval_says_why() -> None:
    from membench.cli.decide.compare import _break_even
    from membench.statistics.break_even import BreakEven
    from membench.statistics.intervals import Interval

    said = "4.99e+03, no interval: the costs were measured over one stretch of writing and asking"
    assert _break_even(BreakEven(Interval(4990, None, None), None)) == said
    assert _break_even(BreakEven(Interval(3, 2, 5), None)) == "3 [2, 5]"
    assert _break_even(BreakEven(None, "why")) == "none: why"
