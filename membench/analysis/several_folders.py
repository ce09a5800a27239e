"""The cells of several folders as if they were one: a cell that stands in more than one of them counts once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from membench.errors import MembenchError
from membench.store.records import Damaged
from membench.store.stored_cells import Cell, cells, named, records_of
from membench.store.targets import own_files

MEASURED = frozenset({"seconds", "cell_peak_bytes", "peak_bytes", "beside"})  # of a record: another play has others
ROUNDING = 1e-4  # between the same numbers of two processors


def cells_of(roots: Iterable[Path]) -> list[Cell]:
    """All played cells under these folders, in the order in which one folder with all of them would have them.

    Raises MembenchError for a folder that is not there, and for a cell whose answers differ between two folders.
    """
    return once(cell for root in dict.fromkeys(roots) for cell in cells(root))


def once(every: Iterable[Cell]) -> list[Cell]:
    """These cells, each once, sorted by folder name. Raises MembenchError as `cells_of` does."""
    found: dict[str, Cell] = {}
    for cell in every:
        found[cell.id] = one_of(found[cell.id], cell) if cell.id in found else cell
    return sorted(found.values(), key=lambda cell: cell.folder.name)


def find(roots: Sequence[Path], name: str) -> Cell:
    """The one cell under these folders whose own folder has this name, or whose id begins so; or the one at this path.

    Raises MembenchError for none or several.
    """
    if "/" in name or name == ".":
        path = Path(name).resolve()
        if path.is_dir():
            roots, name = [path.parent], path.name
    return named(cells_of(roots), name, roots)


def one_of(a: Cell, b: Cell) -> Cell:
    """Which of two stored plays of one cell counts: the one that is done and sound, of two such ones the one whose
    seconds were measured alone, else that which knows more yardsticks, else the first.

    Raises MembenchError, naming both folders, where both are done and did not answer alike, or were not summed up so.
    """
    better, other = sorted((a, b), key=_rank, reverse=True)
    if other.damage or other.status != "done":
        return better
    mine, theirs = (own_files(cell.folder, cell.result) for cell in (better, other))
    if mine != theirs or not mine[0]:
        return other if theirs > mine else better
    if better.result["records_sha256"] == other.result["records_sha256"]:
        if apart := _summed_up_apart(better.result, other.result):
            raise MembenchError(
                f"{a.folder} and {b.folder} have other {apart} of the same records: `membench score --all -o FOLDER` "
                "makes them anew"
            )
        return better
    try:
        answered = _answered(records_of(better))
    except Damaged:
        return other
    try:
        same = _alike(answered, _answered(records_of(other)))
    except Damaged:
        return better
    if not same:
        raise MembenchError(
            f"{a.folder} and {b.folder} are plays of one cell with other records: look at both, and delete one of them"
        )
    return better


def _summed_up_apart(a: Mapping[str, Any], b: Mapping[str, Any]) -> str:
    """What of that which is made of the same records differs, of yardsticks those that both know; "" for nothing."""
    ours, theirs = a.get("yardsticks") or {}, b.get("yardsticks") or {}
    costs = ({name: value for name, value in result["costs"].items() if value is not None} for result in (a, b))
    if not _alike(*costs) or not all(_alike(a[name], b[name]) for name in ("summary", "counts")):
        return "numbers"
    if not all(_alike(ours[name], theirs[name]) for name in ours.keys() & theirs.keys()):
        return "floors or references (their own cells must be in the folder)"
    return ""


def _rank(cell: Cell) -> tuple[bool, bool, bool, int]:
    result = cell.result
    alone = not result["costs"].get("beside")
    return not cell.damage, cell.status == "done", alone, len(result.get("yardsticks") or {})


def _answered(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in record.items() if key not in MEASURED} for record in records]


def _alike(a: Any, b: Any) -> bool:
    """Whether two trees of plain data are the same but for a rounding of their numbers."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(_alike(value, b[key]) for key, value in a.items())
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_alike, a, b))
    if isinstance(a, float) or isinstance(b, float):
        return isinstance(a, int | float) and isinstance(b, int | float) and math.isclose(a, b, abs_tol=ROUNDING)
    return bool(a == b)
