"""What becomes of a played cell: its result, of its records, and why it failed where it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from membench.errors import MembenchError
from membench.io.atomic_files import DiskFull, cannot_write
from membench.model.text_model import TextModel
from membench.planning.plan import PlannedCell
from membench.planning.request import Request
from membench.planning.served import device_of
from membench.running.environment import versions
from membench.running.yardsticks import Yardsticks
from membench.served.endpoint_model import EndpointModel
from membench.store.costs import ledger_of
from membench.store.schema import SCHEMA
from membench.store.summary import summarise_cell
from membench.targets.overlap import audit, overlaps
from membench.values import Pair, Question


def now() -> str:
    """The time as results have it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def spent_by(request: Request, model: TextModel) -> dict[str, Any]:
    """What a cell's result says of the model that is about to play it."""
    prices = None if request.price_in is None else (request.price_in, request.price_out)
    return {"started": now(), "device": device_of(request), "parameters": model.parameters, "prices": prices}


def remarks_of(model: TextModel) -> dict[str, Any]:
    """The same of an endpoint, once the cell was played: what it did not take, and why there are no likelihoods."""
    return {"endpoint": model.remarks} if isinstance(model, EndpointModel) else {}


def outcome(
    cell: PlannedCell,
    records: Sequence[Mapping[str, Any]],
    yardsticks: Yardsticks,
    pairs: Mapping[str, Sequence[Pair]],
    spent: Mapping[str, Any],
    reason: str | None,
) -> dict[str, Any]:
    """The result of a cell that was played (or, with a reason, failed), without the hashes of its files.

    `pairs` are those that the method was trained on, `spent` is what the model says: its `parameters`, the `device` and
    when the cell was `started`; of one at an endpoint its `prices` and what is to be known of the `endpoint`. A
    plug-in's own trouble is raised as it comes.
    """
    failed = reason is not None
    summary, costs, counts = summarise_cell(None if failed else cell.task, records)
    questions: list[Question] = [q for c in cell.data.contexts for q in c.questions]
    # How near a question is to what was trained on; for a method that trains on nothing, to what the data has.
    given = pairs or {c.text: c.targets for c in cell.data.contexts}
    asked = {r["question"]: r["text"] for r in records if r["type"] == "answer"}
    overlap = overlaps(asked, [pair for group in given.values() for pair in group])
    return {
        "schema": SCHEMA,
        "id": cell.recipe_id,
        "status": "failed" if failed else "done",
        "reason": reason,
        "label": None if failed else cell.method.label,
        "recipe": cell.recipe,
        "summary": summary,
        **({"yardsticks": {}} if failed else yardsticks.compare(cell, records, overlap)),
        "overlap": overlap,
        "ledger": ledger_of(records, spent["parameters"], spent.get("prices")),
        "costs": costs,
        "counts": counts,
        "audit": audit(pairs, questions, {c.id: c.text for c in cell.data.contexts}) if pairs else None,
        **({"endpoint": spent["endpoint"]} if "endpoint" in spent else {}),
        "versions": versions(spent["device"]),
        "started": spent["started"],
        "finished": now(),
    }


def why(error: BaseException, folder: Path) -> str:
    """Why a cell failed, as it stands in its result: a line that is never empty. Raises DiskFull where that is why."""
    if isinstance(error, OSError) and isinstance(full := cannot_write(error, folder), DiskFull):
        raise full from error
    said = str(error).encode(errors="replace").decode()  # half of a surrogate pair can be in no file
    if isinstance(error, MembenchError) and said:
        return said
    return f"{type(error).__name__}: {said}" if said else f"{type(error).__name__}, without a message"
