"""What the rule of the tuning grid would choose for texts that are written together and in sequence.

Three rows a method, on texts of the development seed: its defaults, what the grid's rule selects for one text alone,
and a lower rate with as many passes; where two of them are one, half of the passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from experiment_seeds import all_by_seed, fresh, mean_of
from experiment_settings import row_of
from experiment_stored import markdown

from membench.values import Answer

DATA, CONTEXTS, SEED = "worlds:1", 10, 0
TASKS = ("batch", "sequential")
ROWS = {  # rate, passes
    "selfparam": ((2e-3, 24), (4e-3, 12), (8e-3, 24)),
    "ft-s": ((2e-3, 24), (4e-3, 12), (8e-3, 24)),
    "ft-c": ((2e-3, 48), (4e-3, 24), (4e-3, 48)),
    "cartridge": ((5e-3, 24), (1e-2, 12), (2e-2, 24)),
}
SCORES = (("contains", "yes"), ("contains", "no"), ("contains", None), ("margin", "yes"), ("margin", None))


def tried_table(folders: Sequence[Path]) -> str:
    """A line a task and row, and which of a method's the rule chooses, once they are all stored."""
    names = ["contains rehearsed", "not rehearsed", "all", "margin rehearsed", "all"]
    lines = [["task", "method", "rate", "passes", *names, "best"]]
    for task in TASKS:
        for method, rows in ROWS.items():
            found = {row: answers for row in rows if (answers := _answers(task, method, row, folders))}
            best = max(found, key=lambda row: _rank(method, found[row])) if len(found) == len(rows) else None
            for (rate, passes), answers in found.items():
                numbers = [f"{mean_of(answers, *score):.2f}" for score in SCORES]
                mark = "yes" if (rate, passes) == best else ""
                lines.append([task, method, f"{rate:g}", str(passes), *numbers, mark])
    return f"{len(lines) - 1} of {len(TASKS) * sum(map(len, ROWS.values()))} rows are stored.\n\n{markdown(lines)}"


def _answers(task: str, method: str, row: tuple[float, int], folders: Sequence[Path]) -> list[Answer]:
    found = all_by_seed(method, folders, task, row_of(method, *row), DATA, CONTEXTS)
    return fresh(found[SEED], task) if SEED in found else []


def _rank(method: str, answers: Sequence[Answer]) -> tuple[float, float]:
    """As the grid's rule has it (tune_rows.best): right of what is rehearsed, for ft-c of all, then the margin."""
    view = None if method == "ft-c" else "yes"
    return mean_of(answers, "contains", view), mean_of(answers, "margin", view)
