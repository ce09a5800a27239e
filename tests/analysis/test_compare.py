"""compare: what counts as won where a metric is a ratio, where less is better, and what one seed cannot say."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from membench.analysis.compare import compare
from membench.cli import app
from membench.errors import MembenchError
from membench.planning.restore import task_of
from membench.store import cell_folder
from membench.store.cell_folder import Cell
from membench.store.recipe import cell_id
from membench.store.records import digest
from membench.store.summary import summarise_cell
from membench.tables.leaderboard import tables
from membench.tables.significance import corrected
from tests.support.stored_cells import recipe
from tests.support.table_cells import cell, wave

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


def test_two_names_of_one_row_are_said_to_be_one() -> None:
    cells = [cell("bm25", wave(0.5)), cell("ft-c", wave(0.5), settings={"lr": 0.5})]
    with pytest.raises(MembenchError, match=r"^ft-c and ft-c lr=0.5 are one row, ft-c lr=0.5: name two$"):
        compare(cells, "ft-c", "ft-c lr=0.5")


def test_names_are_those_of_rows_that_have_the_metric() -> None:
    """Of two tables one has two rows of a method, and not the metric."""
    more = [cell("dpr", wave(0.5), task="batch", settings={"k": k}) for k in (1, 2)]
    both = [cell(name, wave(0.5, k)) for k, name in enumerate(("bm25", "dpr"))]
    for one in both:
        one.result["summary"]["em/all"] = one.result["summary"]["f1/all"]
    cells = [*both, *more, cell("bm25", wave(0.5), task="batch")]
    with pytest.raises(MembenchError, match="'dpr' names 2 rows: type one of dpr k=1, dpr k=2"):
        compare(cells, "bm25", "dpr")
    (found,) = compare(cells, "bm25", "dpr", "em")
    assert found.title.startswith("single")


def scattered(seed: int, *contexts: int) -> list[Cell]:
    rng = random.Random(seed)
    drawn = [[rng.random() for _ in range(20)] for _ in contexts]
    return [cell(name, d[:n]) for name, d, n in zip(("bm25", "dpr", "raptor"), drawn, contexts, strict=False)]


def test_p_of_a_pair_that_was_not_declared_is_none_below_its_own_tests() -> None:
    """Student's t rejects nothing here, and sign flips say less."""
    ones = scattered(4, 20, 20)
    (picked,), (declared,) = (compare(ones, "bm25", "dpr", declared=d) for d in (False, True))
    assert picked.p_t < picked.p_flip
    assert picked.p == declared.p == picked.p_flip
    (table,) = tables(ones)
    assert [e.standing and e.standing.p for e in table.entries] == [picked.p] * 2


def test_nor_where_the_family_shares_fewer_texts_than_the_pair() -> None:
    ones = scattered(5, 20, 20, 8)
    (picked,), (declared,) = (compare(ones, "bm25", "dpr", declared=d) for d in (False, True))
    (table,) = tables(ones)
    bm25, dpr = (next(e for e in table.entries if e.method == name) for name in ("bm25", "dpr"))
    assert declared.p is not None
    assert corrected(table.entries, "contains/all", (bm25, dpr))[0] < declared.p  # type: ignore[operator]
    assert picked.p == declared.p


def test_a_break_even_without_an_interval_says_why() -> None:
    from membench.cli.decide.compare import _break_even
    from membench.statistics.break_even import BreakEven
    from membench.statistics.intervals import Interval

    said = "4.99e+03, no interval: the costs were measured over one stretch of writing and asking"
    assert _break_even(BreakEven(Interval(4990, None, None), None)) == said
    assert _break_even(BreakEven(Interval(3, 2, 5), None)) == "3 [2, 5]"
    assert _break_even(BreakEven(None, "why")) == "none: why"
