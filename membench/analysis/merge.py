"""Bringing the cells of several folders into one, as if they had been played there."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from membench.analysis.several_folders import cells_of, one_of
from membench.errors import MembenchError
from membench.io.atomic_files import half_written, make_folder, replace_file, sweep_parts
from membench.io.plain_files import read_plain
from membench.store import cell_folder
from membench.store.cell_folder import (
    LOCK,
    RECIPE,
    RESULT,
    Cell,
    cells,
    checked,
    failed_cell,
    folder_of,
    sound_targets,
)
from membench.store.recipe import cell_id, named_so
from membench.store.records import Damaged

RUNS = "runs"  # the options of each run, beside the cells


@dataclass(frozen=True)
class Merged:
    """What became of the cells: folders that were written, that were there already, and why some were left out.

    `unfinished` are folders of cells that were begun and are done in none of the merged folders, nor in the new one.
    """

    written: tuple[Path, ...]
    there: tuple[Path, ...]
    left_out: tuple[str, ...]
    unfinished: tuple[Path, ...]


def merge(roots: Sequence[Path], into: Path) -> Merged:
    """Copy the cells of these folders, and the options of their runs, into another one; the same again goes on.

    A cell that is in several of them, or in `into` already, is there once. Cells that cannot be relied on are left out.
    Of one that `into` has under another folder name, that folder is written. Nothing is written before all is known to
    fit. Raises MembenchError for folders that are not there or the same as `into`, for plays of one cell with other
    records, and where a cell of `into` has the folder name of another one or a newer membench wrote it.
    """
    for root in roots:
        if into.resolve() == root.resolve():
            raise MembenchError(f"{into} is one of the folders to merge: name a new one with -o")
    found = [_with_targets(cell) for cell in checked(cells_of(roots))]
    stored = sorted(checked(cells(into)), key=lambda cell: not cell.newer) if into.is_dir() else []
    there = {cell.id: cell for cell in stored}  # of two copies the one that can be read
    better = [cell for cell in found if not cell.damage and _is_wanted(cell, there.get(cell.id))]
    targets = {cell.id: there[cell.id].folder if cell.id in there else folder_of(into, cell.recipe) for cell in better}
    _refuse(targets, there.values())
    unfinished = _unfinished(roots, {folder_of(into, cell.recipe).name for cell in (*found, *there.values())})
    for cell in better:
        _copy(cell, targets[cell.id])
    for root in roots:
        _copy_runs(root, into)
    names = {cell.id for cell in better}
    kept = [cell for cell in found if not cell.damage and cell.id not in names]
    return Merged(
        tuple(targets.values()),
        tuple(there[cell.id].folder for cell in kept),
        tuple(cell.damage for cell in found if cell.damage),
        unfinished,
    )


def _with_targets(cell: Cell) -> Cell:
    """The cell; a failed one that says so where its target sentences are not those that it was made with."""
    try:
        if not cell.damage:
            sound_targets(cell.folder, cell.result)
        return cell
    except Damaged as damage:
        return failed_cell(cell.folder, cell.recipe, str(damage))


def _refuse(targets: Mapping[str, Path], there: Iterable[Cell]) -> None:
    """Raise MembenchError where a folder to be written, by the id of its cell, must stay or cannot be written."""
    stored = {cell.folder: cell for cell in there}
    for key, folder in targets.items():
        cell = stored.get(folder)
        if cell and cell.newer:
            raise MembenchError(str(cell.damage))
        nameless = cell and cell.damage and cell.id == cell_id(named_so(folder))  # no recipe can be read
        if cell and cell.id != key and not nameless:
            raise MembenchError(f"{folder} holds another cell than its name says: rename it")
        if os.path.lexists(folder):
            cell_folder.refuse_odd(folder)


def _unfinished(roots: Sequence[Path], played: Container[str]) -> tuple[Path, ...]:
    unlike = {root.resolve(): root for root in roots}.values()
    begun = (path.parent for root in unlike for path in sorted(root.glob(f"*/{RECIPE}")))
    return tuple(f for f in begun if not (half_written(f.name) or f.name in played or (f / RESULT).exists()))


def _is_wanted(cell: Cell, stored: Cell | None) -> bool:
    return stored is None or (one_of(stored, cell) is cell)


def _copy(cell: Cell, folder: Path) -> None:
    """Copy a cell's files; the result comes last, so that a kill leaves no cell that seems to be done."""
    make_folder(folder)
    with cell_folder.lock(folder) as mine:
        if not mine:
            raise MembenchError(f"{folder} is being played: merge again when that run is over")
        cell_folder.refuse_odd(folder)
        cell_folder.clear(folder)
        for name in _files(cell.folder):
            replace_file(folder / name, read_plain(cell.folder / name))
        cell_folder.sweep(folder)


def _files(folder: Path) -> Iterator[str]:
    names = {entry.name for entry in os.scandir(folder) if _is_file(entry)}
    last = [name for name in (RECIPE, RESULT) if name in names]
    own = (n for n in sorted(names.difference(last)) if not (n.startswith(LOCK) or half_written(n)))
    yield from (*own, *last)


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link to itself
        return False


def _copy_runs(root: Path, into: Path) -> None:
    """The options of runs; a file is named by the hash of what it holds, so that one of the same name is the same."""
    for path in sorted((root / RUNS).glob("*.yaml")):
        target = into / RUNS / path.name
        if not target.exists():
            make_folder(target.parent)
            sweep_parts(target.parent)
            replace_file(target, read_plain(path))
