"""Real paragraphs in sequence, five questions each, and films of real conversations, as far as they are stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from experiment_comparison import END, ages, kept, share, shown
from experiment_stored import MODEL, markdown, stored

from membench.store.cell_folder import Cell, records_of
from membench.store.records import answer_of
from membench.tables.leaderboard import tables

SQUAD, REDIAL = "squad:squad_dev_half1.json", "redial:redial"
SEQUENCE = {"questions": 5}
TURNS = 60
AGES = (0, 1, 2, 3, 5)
TEXTS = ("full-context", "bm25", "dpr", "hybrid", "rerank", "contextual", "raptor", "selfparam")
RECALLS = ("recall@1/all", "recall@5/all", "recall@5/rec")


def real_table(folder: Path) -> str:
    """Both tables."""
    return f"{paragraphs(folder)}\n\n{films(folder)}"


def paragraphs(folder: Path) -> str:
    """A line a memory: the share of questions that are answered right, by the number of further paragraphs."""
    lines = [["SQuAD, in sequence", *("just written" if not age else f"{age} more" for age in AGES),
              "first half, in the end", "kept of them"]]  # fmt: skip
    found = {cell.recipe["method"]: cell for cell in _asked(folder, SQUAD, "sequential", **SEQUENCE)}
    for method in (name for name in TEXTS if name in found):
        answers = [answer_of(record) for record in records_of(found[method]) if record["type"] == "answer"]
        by_age = [ages(answers)]
        lines.append([method, *(shown(share(by_age, age)) for age in (*AGES, END)), shown(kept(by_age))])
    return markdown(lines)


def films(folder: Path) -> str:
    """A line a memory: recall of the films that real conversations go on to, intervals over conversations."""
    lines = [["ReDial", "recall@1", "recall@5", "of films not mentioned before", "valid lists"]]
    for table in tables(_asked(folder, REDIAL, "recommendation", turns=TURNS), task="recommendation"):
        for entry in table.entries:
            scores = [entry.interval(name) for name in (*RECALLS, "valid/all")]
            lines.append([entry.method, *map(shown, scores)])
    return markdown(lines)


def _asked(folder: Path, data: str, task: str, **settings: Any) -> Iterator[Cell]:
    """The cells of a task on these data, with these settings of the task and any others at their defaults."""
    for cell in stored(folder):
        r = cell.recipe
        same = (r["data"], r["model"], r["task"]) == (data, MODEL, task)
        if same and cell.status == "done" and r["task_settings"].items() >= settings.items():
            yield cell
