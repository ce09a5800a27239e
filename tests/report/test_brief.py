"""The answer in three sentences says no more than the tables' tests allow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from membench.overview.lines import overviews
from membench.report.board import Board, board
from membench.report.brief import brief
from membench.report.short import short_of
from membench.store import cell_folder
from membench.tables.leaderboard import tables
from tests.support.report_cells import for_a_browser
from tests.support.stored_cells import put_cell, recipe

CONTEXTS = 20


def put(root: Path, skills: dict[str, float], task: str = "single", **changed: Any) -> None:
    for method, skill in skills.items():
        put_cell(root, recipe(task, method, **changed), CONTEXTS, skill=skill)


def boards(root: Path, **filters: Any) -> dict[str, Board]:
    found = tables(cell_folder.cells(root), **filters)
    return {table.recipe["task"]: board(table, k, None) for k, table in enumerate(found, 1)}


def said(root: Path, **filters: Any) -> list[str]:
    found = boards(root, **filters)
    return brief(found["single"], found.get("sequential"))


def test_those_that_are_not_told_apart_are_named_together(tmp_path: Path) -> None:
    put(tmp_path, {"bm25": 0.9, "dpr": 0.89, "infllm": 0.1})
    first = said(tmp_path)[0]
    assert first.startswith("On worlds with some-model (20 texts, each alone in a memory): ")
    assert "bm25 and dpr answer best" in first or "dpr and bm25 answer best" in first
    assert "not told apart" in first
    assert "infllm" not in first


def test_one_that_is_above_all_others_stands_alone(tmp_path: Path) -> None:
    put(tmp_path, {"bm25": 0.95, "dpr": 0.3, "infllm": 0.1})
    assert "bm25 answers best (share right 0.9" in said(tmp_path)[0]


def test_nothing_is_claimed_where_nothing_was_told_apart(tmp_path: Path) -> None:
    put(tmp_path, {"bm25": 0.5, "dpr": 0.5})
    assert said(tmp_path)[0].endswith("and no other method is told apart from it.")
    put_cell(tmp_path / "one", recipe("single", "bm25"), 1)
    put_cell(tmp_path / "one", recipe("single", "dpr"), 1)
    assert "too few texts are shared to tell methods apart" in said(tmp_path / "one")[0]
    put(tmp_path / "alone", {"bm25": 0.5})
    assert "bm25 is the only method that can be ranked" in said(tmp_path / "alone")[0]


def test_with_a_declared_method_no_group_is_claimed(tmp_path: Path) -> None:
    put(tmp_path, {"bm25": 0.9, "dpr": 0.1, "infllm": 0.1})
    assert said(tmp_path, against="dpr")[0].endswith("differences are judged to dpr alone.")


@pytest.mark.long
def test_trained_ones_scale_and_the_end_of_a_sequence_follow(tmp_path: Path) -> None:
    found = boards(for_a_browser(tmp_path), data="worlds")
    trained, scale = brief(found["single"], found["sequential"])[1:]
    assert trained.startswith("Of the memories that are trained, selfparam answers most (share right 0.")
    assert "one seed, so not ranked, 10 s to write a text, 1.00 s to read for a question" in trained
    assert scale.startswith("For scale: the model without a memory reaches 0.")
    left = next(e for e in found["sequential"].table.entries if e.method == "bm25").value("contains/final")
    assert f"after 6 writes in a row, bm25 {left:.2f}." in scale


def test_a_table_of_failures_has_no_answer(tmp_path: Path) -> None:
    put_cell(tmp_path, recipe("gold", "base"), CONTEXTS)
    (only,) = boards(tmp_path).values()
    assert brief(only, None) == ["No method has a result here."]


def test_each_sign_below_the_short_table_is_a_note_of_its_own(tmp_path: Path) -> None:
    put(tmp_path, {"bm25": 0.9, "dpr": 0.9, "infllm": 0.1})
    put_cell(tmp_path, recipe("single", "raptor", settings={"budget": 9}), 20)
    found = tables(cell_folder.cells(tmp_path))
    (overview,) = overviews(found)
    notes = short_of(overview, [board(table, k, None) for k, table in enumerate(overview.tables, 1)]).notes
    assert [note[0] for note in notes if not note.startswith("raptor")] == ["=", "‡"]
    assert "‡ whole name and settings: All columns and settings" in notes
