"""A cell that no worker survives: it is stored as failed, with the reason."""

from __future__ import annotations

from typing import Any

from membench.planning.plan import PlannedCell
from membench.planning.request import Request
from membench.planning.served import device_of
from membench.running.outcome import now, outcome
from membench.running.yardsticks import Yardsticks
from membench.store import cell_folder
from membench.store.records import readable_records


def give_up(request: Request, cell: PlannedCell, reason: str) -> dict[str, Any]:
    """The result of a cell that cannot be played, stored with the reason once no other run has it."""
    folder = cell_folder.open_cell(request.output, cell.recipe)
    with cell_folder.lock(folder, wait=True):
        records, found = readable_records(folder)
        spent = {"started": now(), "device": device_of(request), "parameters": None}
        return cell_folder.finish(
            folder, outcome(cell, records, Yardsticks([cell], request.output), {}, spent, reason), found
        )
