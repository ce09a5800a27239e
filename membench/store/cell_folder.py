"""What is stored: a folder a cell, with recipe.json, records.jsonl and, once it is played, result.json.

A cell is done when result.json is there; it comes by rename, so it is there whole or not at all. Nothing is pickled.
Reading is in `stored_cells`, whose names stand here too.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from membench.errors import MembenchError
from membench.io.atomic_files import DiskFull, make_folder, replace_file, sweep_parts
from membench.io.plain_files import NoFile, read_plain, refuse_odd_file, refuse_odd_folder
from membench.store import schema
from membench.store.cell_lock import LOCK, LockLost, lock, refuse_lost
from membench.store.recipe import cell_id, folder_of
from membench.store.record_log import RecordLog, put_aside
from membench.store.records import FILE, Damaged, answer_of, digest, read_records
from membench.store.schema import SCHEMA
from membench.store.script import Script, refuse_unfinished
from membench.store.stored_cells import (
    RECIPE,
    RESULT,
    Cell,
    Newer,
    cells,
    checked,
    failed_cell,
    find,
    finished,
    newest,
    read_result,
    records_of,
    sound_records,
)  # fmt: skip
from membench.store.summary import summarise_cell, summary_of
from membench.store.targets import TARGETS, read_targets, sound_targets, write_targets

__all__ = [
    "LOCK",
    "RECIPE",
    "RESULT",
    "SCHEMA",
    "TARGETS",
    "Cell",
    "Damaged",
    "DiskFull",
    "LockLost",
    "Newer",
    "RecordLog",
    "answer_of",
    "cell_id",
    "cells",
    "checked",
    "clear",
    "failed_cell",
    "find",
    "finish",
    "finished",
    "folder_of",
    "lock",
    "newest",
    "open_cell",
    "read_records",
    "read_result",
    "read_targets",
    "records_of",
    "refuse_odd",
    "reject",
    "sound_records",
    "sound_targets",
    "summarise_cell",
    "summary_of",
    "sweep",
    "whole",
    "write_json",
    "write_targets",
]  # fmt: skip


def open_cell(root: Path, recipe: Mapping[str, Any]) -> Path:
    """The folder of a cell, made with its recipe.json if that is not there, or not this recipe."""
    folder = folder_of(root, recipe)
    make_folder(folder)
    refuse_odd(folder)
    text = _json_lines(recipe)
    with contextlib.suppress(FileNotFoundError):
        if json.loads(text) == _readable(folder / RECIPE):
            return folder
    replace_file(folder / RECIPE, text)
    return folder


def refuse_odd(folder: Path) -> None:
    """Raise NoFile where a cell's folder or a file of it is something else, a link, or may not be written."""
    refuse_odd_folder(folder)
    for name in (RECIPE, FILE, RESULT, TARGETS, LOCK):
        refuse_odd_file(folder / name)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON, a line a key, so that the file is there whole or not at all, even if the machine stops."""
    replace_file(path, _json_lines(value))


def finish(folder: Path, result: Mapping[str, Any], records: str | None) -> dict[str, Any]:
    """Store a cell's result, made of the records with this hash (None: of none); returns what was stored.

    The cell's lock must be held. Raises MembenchError for a result that could not be read again.
    """
    refuse_lost(folder)
    found = {"records_sha256": records, "targets_sha256": digest(folder, TARGETS)}
    kept = {key: value for key, value in result.items() if key not in found}
    text = _json_lines(kept | {key: value for key, value in found.items() if value is not None})
    try:
        stored = schema.result(json.loads(text))
    except schema.Unfit as misfit:
        raise MembenchError(f"the result cannot be stored: {misfit}") from None
    replace_file(folder / RESULT, text)
    return stored


def whole(root: Path, recipe: Mapping[str, Any], script: Script) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
    """The result and the records of a cell that is done, and played from end to end as its script says; else None.

    Raises Newer for a result that a newer membench wrote.
    """
    result = finished(root, recipe)
    try:
        return None if result is None else (result, _played(folder_of(root, recipe), result, script))
    except Damaged:
        return None


def reject(folder: Path, recipe: Mapping[str, Any], script: Script) -> str | None:
    """Make a finished cell that is not whole unfinished again; its lock must be held.

    Returns a line that says what was found, with file and line, and what became of it; None where nothing was wrong.
    """
    try:
        result = read_result(folder)
    except Newer:
        raise
    except Damaged as damage:
        return f"{damage}; it is made anew"
    if result is None or result["status"] != "done":
        return None
    try:
        if cell_id(result["recipe"]) != cell_id(recipe):
            raise Damaged(f"{folder / RESULT} is the result of another cell")
        _played(folder, result, script)
        return None
    except Damaged as damage:
        (folder / RESULT).unlink(missing_ok=True)
        kept = f"; kept as {put_aside(folder).name}" if (folder / FILE).exists() else ""
        return f"{damage}{kept}; the cell is played anew"


def _played(folder: Path, result: Mapping[str, Any], script: Script) -> list[dict[str, Any]]:
    records = sound_records(folder, result)
    refuse_unfinished(records, script, folder / FILE)
    return records


def sweep(folder: Path) -> None:
    """Take away what a killed run was writing; the cell's lock must be held.

    A recipe is written without it, so that its parts go once they are old.
    """
    for name in (FILE, RESULT, TARGETS, "reference.safetensors"):
        sweep_parts(folder, f"{name}.*", older=0.0)
    sweep_parts(folder)


def clear(folder: Path) -> None:
    """Take away all that a cell has stored but its recipe; its lock must be held."""
    (folder / RESULT).unlink(missing_ok=True)  # first, so that a kill in between leaves no result without records
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != RECIPE and not path.name.startswith(LOCK):
            path.unlink(missing_ok=True)


def _json_lines(value: Mapping[str, Any]) -> bytes:
    lines = (f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False, allow_nan=False)}" for k, v in value.items())
    return ("{" + ",\n".join(lines) + "}\n").encode()


def _readable(path: Path) -> Any:
    """The JSON in a file; None for what is none."""
    try:
        return json.loads(read_plain(path))
    except (ValueError, RecursionError, NoFile):
        return None
