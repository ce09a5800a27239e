"""Texts stand beside answers where the data are here as they were played, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from membench.planning.plan import data_hash, load_data
from membench.planning.restore import task_of
from membench.report import answers
from membench.report.board import Board, board, labels_of
from membench.report.shown_records import read_shown
from membench.report.source_texts import texts_of
from membench.store import cell_folder
from membench.tables.leaderboard import tables
from tests.support.stored_cells import put_cell, recipe


def boards(root: Path, **changed: Any) -> list[Board]:
    put_cell(root, recipe("single", "bm25", **changed))
    return [board(table, k, None) for k, table in enumerate(tables(cell_folder.cells(root)), 1)]


def test_data_that_are_here_unchanged_give_their_texts(tmp_path: Path) -> None:
    data = load_data("worlds", task_of(recipe("single", "bm25")), 4)
    (found,) = texts_of(boards(tmp_path, limit=4, data_hash=data_hash(data.contexts))).values()
    assert {context.id: context.text for context in data.contexts}.items() <= found.items()


def test_data_that_changed_or_are_gone_give_none(tmp_path: Path) -> None:
    boards(tmp_path, limit=4)
    boards(tmp_path, data="jsonl:gone.jsonl")
    found = texts_of(boards(tmp_path, data="no-such-source"))
    assert [*found.values()] == [{}, {}, {}]


def test_a_text_stands_beside_its_questions_once(tmp_path: Path) -> None:
    made = boards(tmp_path)
    shown = read_shown(labels_of(made), cell_folder.cells(tmp_path))
    data = json.loads(answers.answers_of(made, shown, {"t1": {"c1": "the text of one", "c9": "of none"}}).text)
    (table,) = data["tables"]
    beside = {data["strings"][int(context)]: data["strings"][text] for context, text in table["texts"].items()}
    assert beside == {"c1": "the text of one"}
    assert {data["strings"][question[0]] for question in table["questions"]} == {"c0", "c1", "c2", "c3"}
