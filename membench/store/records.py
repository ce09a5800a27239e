"""The records of a cell: one JSON object a line, appended as things happen, cut back to the last closed step."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import Any

from membench.errors import MembenchError
from membench.io.atomic_files import write_all
from membench.values import Answer

FILE = "records.jsonl"


CLOSING = frozenset({"write", "forget", "ask", "drift"})  # they close a step; answers stand before "ask"


NEEDED: Mapping[str, tuple[str, ...]] = {
    "answer": tuple(f.name for f in fields(Answer)),
    **dict.fromkeys(("write", "forget"), ("episode", "step", "contexts", "seconds", "tokens", "memory")),
    "ask": ("episode", "step", "questions", "seconds", "tokens"),
    "drift": ("episode", "step", "texts", "items", "seconds", "tokens"),
}


class Damaged(MembenchError):
    """A line of a record file that no run can have written."""


class RecordLog:
    """Appends the records of one cell. `closed` holds the (episode, step) pairs that earlier runs finished.

    `append` may be called while the cell's lock is held; a step exists once its closing record is on the disk.
    """

    def __init__(self, folder: Path):
        """Cut the file back to its last closed step. Raises Damaged, with file and line, and then changes nothing."""
        self.folder = folder
        path = folder / FILE
        records, end = _parse(path)
        closing = [record for record in records if record["type"] in CLOSING]
        self.closed = {(record["episode"], record["step"]) for record in closing}
        self._memories = {(r["episode"], r["step"]): r["memory"] for r in closing if "memory" in r}
        self._answers = [record for record in records if record["type"] == "answer"]
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.ftruncate(self._file, end)

    @classmethod
    def open(cls, folder: Path, say: Callable[[str], object] = lambda _: None) -> RecordLog:
        """The log of a cell; a damaged one is said to be so, put aside, and begun anew."""
        try:
            return cls(folder)
        except Damaged as damage:
            kept = put_aside(folder)
            say(f"{damage}; kept as {kept.name}, and the cell is played anew")
            return cls(folder)

    def __enter__(self) -> RecordLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    def memory_after(self, episode: str, step: int) -> str:
        """The digest of the memory behind a closed write."""
        return str(self._memories[episode, step])

    def answers_of(self, episode: str, step: int) -> list[dict[str, Any]]:
        """The answers of an Ask that an earlier run closed."""
        return [record for record in self._answers if (record["episode"], record["step"]) == (episode, step)]

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one record; the disk has it when a closing one returns.

        Raises DiskFull, and MembenchError for a number that is not finite.
        """
        try:
            line = json.dumps(record, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        except ValueError:
            where = record.get("question") or f"{record['episode']}, step {record['step']}"
            raise MembenchError(f"a score of {where} is not a finite number: has training diverged?") from None
        write_all(self._file, (line + "\n").encode(), self.folder)
        if record["type"] in CLOSING:
            os.fsync(self._file)
            self.closed.add((record["episode"], record["step"]))
            if "memory" in record:
                self._memories[record["episode"], record["step"]] = record["memory"]


def put_aside(folder: Path) -> Path:
    """Rename a damaged record file to the first free records.jsonl.damaged-N; returns the new path."""
    taken = {path.name for path in folder.glob(f"{FILE}.damaged-*")}
    number = next(n for n in range(1, len(taken) + 2) if f"{FILE}.damaged-{n}" not in taken)
    return (folder / FILE).rename(folder / f"{FILE}.damaged-{number}")


def read_records(folder: Path) -> list[dict[str, Any]]:
    """The records of all closed steps. Raises Damaged, with file and line."""
    return _parse(folder / FILE)[0]


def digest(folder: Path, name: str = FILE) -> str:
    """The sha256 of the record file, or another file of a cell, 64 hex digits; of nothing if there is none."""
    path = folder / name
    return hashlib.sha256(path.read_bytes() if path.exists() else b"").hexdigest()


def answer_of(record: Mapping[str, Any]) -> Answer:
    """The answer that a record of type "answer" holds."""
    values = {f.name: record[f.name] for f in fields(Answer)}
    return Answer(**values | {"gold": tuple(record["gold"])})


def _parse(path: Path) -> tuple[list[dict[str, Any]], int]:
    """The records up to the last closing one, and the offset behind it.

    A last line without its newline is what a kill leaves and is dropped; any other line that is no record is damage.
    """
    data = path.read_bytes() if path.exists() else b""
    records: list[dict[str, Any]] = []
    closed, end, offset = 0, 0, 0
    for number, line in enumerate(data.split(b"\n")[:-1], 1):
        offset += len(line) + 1
        records.append(_record(line, path, number))
        if records[-1]["type"] in CLOSING:
            closed, end = len(records), offset
    return records[:closed], end


def _record(line: bytes, path: Path, number: int) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError:  # no JSON, or no UTF-8
        record = None
    needed = NEEDED.get(str(record.get("type"))) if isinstance(record, dict) else None
    if not isinstance(record, dict) or needed is None or any(key not in record for key in needed):
        raise Damaged(f"{path}:{number}: damaged record")
    return record
