"""Reading what is stored: the cells of a folder, each checked by the schema, and their records, checked by their hash.

A cell that cannot be read, or whose records are not those that its result was made of, is a failed cell that says so;
it is never the trouble of another one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from membench.errors import MembenchError
from membench.io.atomic_files import half_written
from membench.io.fast_json import apart, no_collecting
from membench.io.plain_files import NoFile, read_plain
from membench.store import schema
from membench.store.recipe import cell_id, folder_of, named_so
from membench.store.records import FILE, Damaged, parse_records, sha256
from membench.store.targets import own_files

RECIPE, RESULT = "recipe.json", "result.json"
VERSION = "metric_version"  # of a recipe
_NAMED = re.compile(r"--[0-9a-f]{12}$")  # as a cell's folder is


class Newer(Damaged):
    """A result that a newer membench wrote."""


@dataclass(frozen=True)
class Cell:
    """A played cell: its folder and what its result.json holds.

    Where that cannot be relied on, `damage` says why, and the result is a failed one that a reader has made up; `newer`
    is one that a newer membench wrote.
    """

    folder: Path
    result: Mapping[str, Any]
    damage: str | None = None
    newer: bool = False

    @property
    def id(self) -> str:
        """16 hex digits."""
        return str(self.result["id"])

    @property
    def recipe(self) -> Mapping[str, Any]:
        """All that can change the result."""
        recipe: Mapping[str, Any] = self.result["recipe"]
        return recipe

    @property
    def status(self) -> str:
        """done, failed or skipped."""
        return str(self.result["status"])


def cells(root: Path) -> list[Cell]:
    """All played cells under a folder, sorted by folder name; unfinished ones do not count.

    A cell whose result cannot be relied on is a failed one that says why. Raises MembenchError if there is no such
    folder.
    """
    if not os.path.isdir(root):
        raise MembenchError(f"no folder {root}: play something with `membench run`, or name a folder with results")
    try:
        paths = sorted(entry.path for entry in os.scandir(root) if _is_in_a_place(entry))
    except OSError as error:
        raise MembenchError(f"{root} cannot be read ({error.strerror})") from None
    with no_collecting():
        return _once([cell for path in paths if (cell := _cell(Path(path)))])


def find(root: Path, name: str) -> Cell:
    """The one cell whose folder has this name, or whose id begins so. Raises MembenchError for none or several."""
    return named(cells(root), name, [root])


def named(every: Sequence[Cell], name: str, roots: Sequence[Path]) -> Cell:
    """The same among these cells, which are all that are stored under these folders."""
    where = " ".join(map(str, roots))
    matching = [c for c in every if c.folder.name == name] or [c for c in every if name and c.id.startswith(name)]
    if len({c.id for c in matching}) == 1:  # beside it may stand what a newer membench made of it
        matching = ([c for c in matching if not c.newer] or matching)[:1]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise MembenchError(f"{name!r} begins {len(matching)} cell ids: type more of it, e.g. {matching[0].id}")
    if any((root / name / RECIPE).is_file() for root in roots):
        raise MembenchError(f"{name} is not finished: `membench status {where}` says how far it is")
    raise MembenchError(f"no cell {name!r} in {where}: `membench ls runs {where}` lists them")


def finished(root: Path, recipe: Mapping[str, Any]) -> dict[str, Any] | None:
    """The result of a cell that is done; None for one that is missing, failed, damaged, or another cell's.

    Raises Newer for one that a newer membench wrote.
    """
    try:
        result = read_result(folder_of(root, recipe))
    except Newer:
        raise
    except Damaged:
        return None
    if result is None or result["status"] != "done":
        return None
    return result if result["id"] == cell_id(recipe) == cell_id(result["recipe"]) else None


def read_result(folder: Path) -> dict[str, Any] | None:
    """The result in a folder; None if there is none. Raises Damaged with what is wrong with it, Newer."""
    path = f"{folder}/{RESULT}"
    try:
        rest, yardsticks = apart(read_plain(path))
        value = orjson.loads(rest)
        version = value.get("schema") if isinstance(value, dict) else None
        if isinstance(version, int) and version > schema.SCHEMA:
            raise Newer(
                f"{path} was written by a newer membench (schema {version}; this one reads {schema.SCHEMA}): upgrade "
                "membench"
            )
        result = schema.result(value)
        if result["id"] != cell_id(result["recipe"]):
            raise Damaged(f"{path} is the result of another cell: its id is not that of its recipe")
        return result if yardsticks is None else result | {"yardsticks": _shared_yardsticks(yardsticks)}
    except (FileNotFoundError, NotADirectoryError):
        return None
    except schema.Unfit as misfit:
        raise Damaged(f"{path} is damaged ({misfit})") from None
    except ValueError:
        raise Damaged(f"{path} is damaged (no JSON)") from None
    except NoFile as odd:
        raise Damaged(str(odd)) from None


def records_of(cell: Cell) -> list[dict[str, Any]]:
    """The records that a cell's result was made of. Raises Damaged where they are no longer those."""
    if cell.damage:
        raise Damaged(cell.damage)
    return sound_records(cell.folder, cell.result)


def sound_records(folder: Path, result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The records in a folder, if this result was made of them. Raises Damaged."""
    path = folder / FILE
    try:
        data = read_plain(path)
    except FileNotFoundError:
        raise Damaged(f"{path} is missing") from None
    except NoFile as odd:
        raise Damaged(str(odd)) from None
    records = parse_records(data, path)[0]
    if sha256(data) != result.get("records_sha256"):
        raise Damaged(f"{path} is not the file that the result was made of")
    if not records and result["status"] == "done":
        raise Damaged(f"{path} holds no step")
    return records


def checked(found: Iterable[Cell]) -> Iterator[Cell]:
    """These cells; one whose records are not sound is a failed one that says so, for all who look at records."""
    for cell in found:
        try:
            if not cell.damage:
                records_of(cell)
            yield cell
        except Damaged as damage:
            yield failed_cell(cell.folder, cell.recipe, str(damage))


def newest(found: Iterable[Cell]) -> list[Cell]:
    """These cells without those that are there as a later version of the metrics scored them, too."""
    every = list(found)
    if len({cell.recipe[VERSION] for cell in every}) < 2:
        return every
    latest: dict[str, int] = {}
    unscored = [cell_id({**cell.recipe, VERSION: 0}) for cell in every]
    for cell, key in zip(every, unscored, strict=True):
        if cell.status == "done":
            latest[key] = max(latest.get(key, 0), cell.recipe[VERSION])
    return [cell for cell, key in zip(every, unscored, strict=True) if cell.recipe[VERSION] >= latest.get(key, 0)]


def _is_in_a_place(entry: os.DirEntry[str]) -> bool:
    """Whether this may be a cell: a folder, or what stands in the place of one; what was being written is none."""
    return not half_written(entry.name) and (_NAMED.search(entry.name) is not None or _is_folder(entry))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, or into a folder that nobody may read
        return False


def _cell(folder: Path) -> Cell | None:
    try:
        result = read_result(folder)
    except Newer as newer:
        return replace(failed_cell(folder, _recipe(folder), str(newer)), newer=True)
    except Damaged as damage:
        return failed_cell(folder, _recipe(folder), f"{damage}: run the same command again")
    if result is None and folder.is_symlink() and not folder.exists():
        return failed_cell(folder, _recipe(folder), f"{folder} is a link to nothing")
    return None if result is None else Cell(folder, result)


def _once(found: Sequence[Cell]) -> list[Cell]:
    """These cells, with a failed one for each copy of another: it would be counted as if it had been played twice."""
    copies: dict[str, list[Cell]] = {}
    for cell in found:
        copies.setdefault(cell.folder.name if cell.newer else cell.id, []).append(cell)
    best = {cell.folder: max(those, key=_rank) for those in copies.values() for cell in those}
    return [cell if best[cell.folder] is cell else _copy(cell, best[cell.folder]) for cell in found]


def _rank(cell: Cell) -> tuple[bool, ...]:
    return cell.status == "done", *(own_files(cell.folder, cell.result) if cell.status == "done" else ())


def _copy(cell: Cell, other: Cell) -> Cell:
    it = "it" if _rank(cell) < _rank(other) else "one of them"
    return failed_cell(cell.folder, named_so(cell.folder), f"{cell.folder} is the cell of {other.folder}: delete {it}")


def failed_cell(folder: Path, recipe: Mapping[str, Any], reason: str) -> Cell:
    """In place of a cell that cannot be relied on: a failed one."""
    empty: dict[str, Any] = {"summary": {}, "costs": {}, "counts": {"contexts": 0, "questions": 0, "answered": 0}}
    head = {"id": cell_id(recipe), "status": "failed", "reason": reason, "recipe": recipe}
    return Cell(folder, head | empty, reason)


def _recipe(folder: Path) -> dict[str, Any]:
    """What stands in recipe.json; if that cannot be read either, what the folder's name says."""
    try:
        return schema.recipe(orjson.loads(read_plain(folder / RECIPE)))
    except (OSError, ValueError, NoFile):
        return named_so(folder)


@lru_cache(maxsize=256)
def _shared_yardsticks(text: bytes) -> dict[str, Any]:
    return schema.yardsticks(orjson.loads(text))
