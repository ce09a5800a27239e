"""What is stored: a folder a cell, with recipe.json, records.jsonl and, once it is played, result.json.

A cell is done when result.json is there; it comes by rename, so it is there whole or not at all. Nothing is pickled.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from membench.errors import MembenchError
from membench.io.atomic_files import DiskFull, make_folder, replace_file
from membench.io.fast_json import no_collecting, parse
from membench.store.recipe import cell_id
from membench.store.records import FILE, Damaged, RecordLog, answer_of, digest, put_aside, read_records
from membench.store.summary import summarise_cell, summary_of
from membench.values import Pair

__all__ = [
    "SCHEMA", "Cell", "Damaged", "DiskFull", "RecordLog", "answer_of", "cell_id", "cells", "clear", "find", "finish",
    "finished", "folder_of", "lock", "open_cell", "read_records", "read_targets", "reject", "sound", "summarise_cell",
    "summary_of", "sweep", "wait", "write_targets",
]  # fmt: skip


SCHEMA = 1


RECIPE, RESULT, TARGETS, LOCK = "recipe.json", "result.json", "targets.jsonl", ".lock"


_locks: dict[Path, int] = {}  # descriptors of the lock files that this process has open


@dataclass(frozen=True)
class Cell:
    """A played cell: its folder and what its result.json holds."""

    folder: Path
    result: Mapping[str, Any]

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


def folder_of(root: Path, recipe: Mapping[str, Any]) -> Path:
    """Where a cell is stored: ROOT/task--method--model--id; names are for the eye, the id alone identifies."""
    names = (re.sub(r"[^A-Za-z0-9._-]+", "-", str(recipe[key]))[:40] for key in ("task", "method", "model"))
    return root / "--".join((*names, cell_id(recipe)[:12]))


def open_cell(root: Path, recipe: Mapping[str, Any]) -> Path:
    """The folder of a cell, made with its recipe.json if it is not there."""
    folder = folder_of(root, recipe)
    make_folder(folder)
    if not (folder / RECIPE).exists():
        write_json(folder / RECIPE, recipe)
    return folder


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON, a line a key, so that the file is there whole or not at all, even if the machine stops."""
    lines = (f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False, allow_nan=False)}" for k, v in value.items())
    replace_file(path, ("{" + ",\n".join(lines) + "}\n").encode())


def write_targets(folder: Path, pairs: Mapping[str, Sequence[Pair]]) -> None:
    """Keep the target sentences that a writer made, one line a context."""
    lines = (
        {"context": text, "pairs": [{"question": p.question, "answer": p.answer} for p in those]}
        for text, those in sorted(pairs.items())
    )
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    replace_file(folder / TARGETS, text.encode())


def read_targets(folder: Path) -> dict[str, tuple[Pair, ...]]:
    """What `write_targets` kept, by the context's text; empty if the method used none. Raises Damaged with the line."""
    path = folder / TARGETS
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    found = {}
    for number, line in enumerate(lines, 1):
        if line:
            try:
                row = json.loads(line)
                found[row["context"]] = tuple(Pair(p["question"], p["answer"]) for p in row["pairs"])
            except (ValueError, KeyError, TypeError) as error:
                raise Damaged(f"{path}:{number}: damaged record") from error
    return found


def finish(folder: Path, result: Mapping[str, Any]) -> dict[str, Any]:
    """Store a cell's result, with the hashes of its records and of its targets, if any; returns what was stored."""
    targets = {"targets_sha256": digest(folder, TARGETS)} if (folder / TARGETS).exists() else {}
    whole = {**result, "records_sha256": digest(folder), **targets}
    write_json(folder / RESULT, whole)
    stored: dict[str, Any] = json.loads(json.dumps(whole))
    return stored


def sound(folder: Path, result: Mapping[str, Any]) -> bool:
    """Whether the records of a finished cell are still those that its result was made of."""
    return digest(folder) == result.get("records_sha256")


def reject(folder: Path) -> str:
    """Make a finished cell whose records are not sound unfinished again; its lock must be held.

    Returns a line that says what was found, with file and line, and what became of it.
    """
    path = folder / FILE
    try:
        read_records(folder)
        found = f"{path} is not the file that the result was made of"
    except Damaged as damage:
        found = str(damage)
    (folder / RESULT).unlink(missing_ok=True)
    kept = f"; kept as {put_aside(folder).name}" if path.exists() else ""
    return f"{found}{kept}; the cell is played anew"


def sweep(folder: Path) -> None:
    """Take away what a killed run was writing; the cell's lock must be held (a recipe is written without it)."""
    for path in folder.glob("*.part"):
        if not path.name.startswith(RECIPE):
            path.unlink(missing_ok=True)


def clear(folder: Path) -> None:
    """Take away all that a cell has stored but its recipe; its lock must be held."""
    (folder / RESULT).unlink(missing_ok=True)  # first, so that a kill in between leaves no result without records
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in (RECIPE, LOCK):
            path.unlink(missing_ok=True)


def finished(root: Path, recipe: Mapping[str, Any]) -> dict[str, Any] | None:
    """The result of a cell that is done; None for one that is missing, failed, or whose result is no JSON.

    Raises MembenchError for one that a newer membench wrote.
    """
    result = _load(folder_of(root, recipe) / RESULT)
    return result if result is not None and result["status"] == "done" else None


def cells(root: Path, without: Sequence[str] = ()) -> list[Cell]:
    """All played cells under a folder, sorted by folder name; unfinished ones do not count.

    Their results lack the keys in `without`, which makes reading quicker where they are not needed.

    A result that is no JSON becomes a failed cell that says so. Raises MembenchError if there is no such folder, and
    for a result of a newer membench.
    """
    if not root.is_dir():
        raise MembenchError(f"no folder {root}: play something with `membench run`, or name a folder with results")
    paths = sorted(entry.path for entry in os.scandir(root))
    with no_collecting():
        found = (
            (Path(path), _load(f"{path}/{RESULT}", without)) for path in paths if os.path.exists(f"{path}/{RESULT}")
        )
        return [Cell(folder, _broken(folder) if result is None else result) for folder, result in found]


def find(root: Path, name: str) -> Cell:
    """The one cell whose folder has this name, or whose id begins so. Raises MembenchError for none or several."""
    every = cells(root)
    matching = [c for c in every if c.folder.name == name] or [c for c in every if name and c.id.startswith(name)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise MembenchError(f"{name!r} begins {len(matching)} cell ids: type more of it, e.g. {matching[0].id}")
    raise MembenchError(f"no cell {name!r} in {root}: `membench ls runs` lists them")


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[bool]:
    """Hold a cell's lock; yields whether it was free. The lock goes with the process, however that ends."""
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    _locks[folder] = descriptor
    try:
        yield _try_lock(descriptor)
    finally:
        del _locks[folder]
        os.close(descriptor)


def wait(folder: Path) -> None:
    """Inside `lock` that yielded False: return when the lock is free, and hold it from then on."""
    fcntl.flock(_locks[folder], fcntl.LOCK_EX)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _load(path: Path | str, without: Sequence[str] = ()) -> dict[str, Any] | None:
    """A result, or None if the file is missing or no JSON object with a status and a recipe."""
    try:
        with open(path, "rb") as file:
            result = parse(file.read(), without)
    except (FileNotFoundError, ValueError):
        return None
    if not isinstance(result, dict):
        return None
    if isinstance(result.get("schema"), int) and result["schema"] > SCHEMA:
        written, reads = result["schema"], SCHEMA
        raise MembenchError(
            f"{path} was written by a newer membench (schema {written}; this one reads {reads}): upgrade membench"
        )
    return result if {"id", "status", "recipe", "summary", "costs", "counts"} <= result.keys() else None


def _broken(folder: Path) -> dict[str, Any]:
    """In place of a result that cannot be read: a failed cell, as its recipe names it."""
    try:
        recipe = json.loads((folder / RECIPE).read_bytes())
    except (FileNotFoundError, ValueError):
        raise MembenchError(f"{folder}: neither {RESULT} nor {RECIPE} can be read: delete the folder") from None
    reason = f"{folder.name}/{RESULT} is damaged: run the same command again"
    empty: dict[str, Any] = {"summary": {}, "costs": {}, "counts": {"contexts": 0, "questions": 0, "answered": 0}}
    return {"id": cell_id(recipe), "status": "failed", "reason": reason, "recipe": recipe, **empty}
