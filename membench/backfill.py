"""Parts of a result that cells of the first versions lack, made of what they stored, without a model.

Commit, dirty flag and processor of such a cell are known to nobody and stay away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from membench import records, store
from membench.api import Answer, Pair, Task
from membench.controls import compared, overlaps
from membench.ledger import ledger_of
from membench.store import Cell
from membench.stored_data import ground_of
from membench.tables import GOLD


def derived(
    cell: Cell,
    task: Task,
    rows: Sequence[Mapping[str, Any]],
    golds: Mapping[str, Sequence[Answer]],
    parameters: int | None,
) -> dict[str, Any]:
    """Ledger, overlap, yardsticks, controls and the hash of the targets, as the runner makes them of these records.

    `golds` are the yardsticks' answers by method; without any, what is stored of them stays. The overlap is missing
    where the method kept no targets and the data are no longer here as they were.
    """
    answers = [store.answer_of(row) for row in rows if row["type"] == "answer"]
    out: dict[str, Any] = {"ledger": ledger_of(rows, parameters)}
    overlap = cell.result.get("overlap", _overlap(cell, task, answers))
    if overlap is not None:
        out["overlap"] = overlap
    is_gold = cell.recipe["task"] == GOLD
    if golds:
        out |= compared(task, answers, golds, None if is_gold else overlap)
    elif "controls" not in cell.result and not is_gold and overlap is not None:
        out["controls"] = compared(task, answers, {}, overlap)["controls"]
    if (cell.folder / store.TARGETS).exists():
        out["targets_sha256"] = records.digest(cell.folder, store.TARGETS)
    return out


def parameters_of(cell: Cell, every: Iterable[Cell]) -> int | None:
    """The parameters of the cell's model, as it or another cell of the same weights knows them."""
    same = (c for c in every if c.recipe["weights_hash"] == cell.recipe["weights_hash"])
    found = ((c.result.get("ledger") or {}).get("parameters") for c in (cell, *same))
    return next((count for count in found if count is not None), None)


def _overlap(cell: Cell, task: Task, answers: Iterable[Answer]) -> dict[str, float] | None:
    """By the pairs that the method was trained on; of a method without, by those that the data have."""
    given: Mapping[str, Sequence[Pair]] = store.read_targets(cell.folder)
    if not given:
        ground = ground_of(cell.recipe, task)
        if ground is None:
            return None
        given = {context.text: context.targets for context in ground.data.contexts}
    return overlaps({a.question: a.text for a in answers}, [pair for group in given.values() for pair in group])
