"""Parts of a result that cells of the first versions lack, made of what they stored, without a model.

Commit, dirty flag and processor of such a cell are known to nobody and stay away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from membench.api import Task
from membench.planning.restore import ground_of
from membench.store import cell_folder
from membench.store.cell_folder import Cell
from membench.store.costs import ledger_of
from membench.store.question_subsets import compared
from membench.store.recipe import GOLD
from membench.store.records import answer_of, digest
from membench.targets.overlap import overlaps
from membench.values import Answer, Pair


def derived(
    cell: Cell,
    task: Task,
    rows: Sequence[Mapping[str, Any]],
    golds: Mapping[str, Sequence[Answer]],
    parameters: int | None,
    rose: bool = False,
) -> dict[str, Any]:
    """Ledger, overlap, yardsticks, controls and the hash of the targets, as the runner makes them of these records.

    `golds` are the yardsticks' answers by method; without one that is stored, what is stored stays, unless the version
    of the metrics `rose`: it would stand beside other scores. The overlap is missing where the method kept no targets
    and the data are no longer here as they were.
    """
    answers = [answer_of(row) for row in rows if row["type"] == "answer"]
    prices = (cell.result.get("ledger") or {}).get("prices")
    out: dict[str, Any] = {"ledger": ledger_of(rows, parameters, prices)}
    overlap = cell.result.get("overlap", _overlap(cell, task, answers))
    if overlap is not None:
        out["overlap"] = overlap
    is_gold = cell.recipe["task"] == GOLD
    if rose or (golds and golds.keys() >= (cell.result.get("yardsticks") or {}).keys()):
        out |= compared(task, answers, golds, None if is_gold else overlap)
    elif "controls" not in cell.result and not is_gold and overlap is not None:
        out["controls"] = compared(task, answers, {}, overlap)["controls"]
    if (cell.folder / cell_folder.TARGETS).exists():
        out["targets_sha256"] = digest(cell.folder, cell_folder.TARGETS)
    return out


def parameters_of(cell: Cell, every: Iterable[Cell]) -> int | None:
    """The parameters of the cell's model, as it or another cell of the same weights knows them."""
    same = (c for c in every if c.recipe["weights_hash"] == cell.recipe["weights_hash"])
    found = ((c.result.get("ledger") or {}).get("parameters") for c in (cell, *same))
    return next((count for count in found if count is not None), None)


def _overlap(cell: Cell, task: Task, answers: Iterable[Answer]) -> dict[str, float] | None:
    """By the pairs that the method was trained on; of a method without, by those that the data have."""
    given: Mapping[str, Sequence[Pair]] = cell_folder.read_targets(cell.folder)
    if not given:
        ground = ground_of(cell.recipe, task)
        if ground is None:
            return None
        given = {context.text: context.targets for context in ground.data.contexts}
    return overlaps({a.question: a.text for a in answers}, [pair for group in given.values() for pair in group])
