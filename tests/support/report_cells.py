"""Stored cells for tests of figures and of the report page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from membench.store import cell_folder
from membench.store.costs import ledger_of
from membench.store.record_log import RecordLog
from membench.store.records import digest, read_records
from membench.store.summary import summarise_cell
from tests.support.stored_cells import put_cell, recipe

RENAMING = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
NASTY = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


def three_tasks(root: Path) -> Path:
    """Cells of three tasks; one has a label and answers that try to be HTML."""
    put_cell(root, recipe("gold", "base"), skill=0.1)
    put_cell(root, recipe("gold", "in-context"), skill=0.9)
    for seed in (0, 1):
        put_cell(root, recipe("single", "bm25", seed), skill=0.8)
    put_cell(root, recipe("single", "dpr"), skill=0.5)
    put_cell(root, recipe("single", "ft-c", settings={"note": NASTY}), answer=NASTY)
    pool = {"size": 100, "new": 20}
    sequential: dict[str, Any] = {"task_settings": {"drift": 2}}
    put_cell(root, recipe("sequential", "memoryllm", settings=pool, **sequential), contexts=6, drift=2)
    put_cell(root, recipe("sequential", "bm25", **sequential), contexts=6, drift=2)
    return root


def for_a_browser(root: Path) -> Path:
    """Cells of two data sources: single and sequential, prices that break even, and a method that tries to be HTML."""
    played = {
        name: put_cell(root, recipe("gold", name), 12, skill=skill)["summary"]
        for name, skill in (("base", 0.1), ("in-context", 0.9))
    }
    for method, skill, write, read in (("bm25", 0.9, 1.0, 3.0), ("dpr", 0.4, 2.0, 4.0), ("selfparam", 0.6, 10.0, 1.0)):
        put_priced(root, method, write, read, contexts=12, skill=skill, yardsticks=played)
    note = {"note": RENAMING}
    put_priced(root, "ft-c", 20.0, 5.0, settings=note, contexts=12, skill=0.2, answer=RENAMING, yardsticks=played)
    for method in ("bm25", "memoryllm"):
        pool = recipe("sequential", method, settings={"size": 9, "new": 1})
        put_cell(root, pool, 6, drift=2, yardsticks=played)
    put_cell(root, recipe("single", "bm25", data="movie-worlds", limit=5), 5)
    put_cell(root, recipe("single", "cartridge", data="movie-worlds", limit=5), 5)
    return root


def three_prices(root: Path) -> Path:
    """selfparam writes in 10 s and reads in 1, bm25 in 1 s and 3, raptor in 20 s and 5."""
    for method, write, read in (("selfparam", 10.0, 1.0), ("bm25", 1.0, 3.0), ("raptor", 20.0, 5.0)):
        put_priced(root, method, write, read)
    return root


def put_priced(
    root: Path, method: str, write: float, read: float, settings: Mapping[str, Any] | None = None, **put: Any
) -> None:
    """A stored cell of which every write and every question takes so many seconds; `put` goes to `put_cell`.

    selfparam is trained.
    """
    result = put_cell(root, recipe("single", method, settings=dict(settings or {})), **put)
    made = cell_folder.find(root, result["id"])
    rows: list[dict[str, Any]] = read_records(made.folder)
    for row in rows:
        if row["type"] in ("write", "ask"):
            if row["type"] == "write" and method == "selfparam":
                row["tokens"] = {"student": {"trained": 100}}
            row["seconds"] = write if row["type"] == "write" else read * row["questions"]
    (made.folder / "records.jsonl").unlink()
    with RecordLog.open(made.folder) as log:
        for row in rows:
            log.append(row)
    costs = summarise_cell(None, rows)[1]
    cell_folder.finish(
        made.folder, {**made.result, "costs": costs, "ledger": ledger_of(rows, None)}, digest(made.folder)
    )
