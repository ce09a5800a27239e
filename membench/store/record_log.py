"""Appending the records of a cell as things happen: cut back to the last closed step, and whole in the end."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from membench.errors import MembenchError
from membench.io.atomic_files import cannot_write, write_all
from membench.io.plain_files import read_plain
from membench.store import schema
from membench.store.cell_lock import refuse_lost
from membench.store.records import CLOSING, FILE, Damaged, parse_records, sha256
from membench.store.script import Script, refuse_foreign, refuse_unfinished


class RecordLog:
    """Appends the records of one cell. `closed` holds the (episode, step) pairs that earlier runs finished.

    `append` may be called while the cell's lock is held; a step exists once its closing record is on the disk.
    """

    def __init__(self, folder: Path, script: Script | None = None):
        """Cut the file back to its last closed step.

        Raises Damaged, with file and line, for what no run of this script can have left, and then changes nothing;
        NoFile for what is no file.
        """
        self.folder, self._script = folder, script
        path = folder / FILE
        data = read_plain(path) if os.path.lexists(path) else b""
        records, end = parse_records(data, path)
        if script is not None:
            refuse_foreign(records, script, path)
        closing = [record for record in records if record["type"] in CLOSING]
        self.closed = {(record["episode"], record["step"]) for record in closing}
        self._memories = {(r["episode"], r["step"]): r["memory"] for r in closing if "memory" in r}
        self._answers = [record for record in records if record["type"] == "answer"]
        self._sum = hashlib.sha256(data[:end])
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o644)
            os.ftruncate(self._file, end)
        except OSError as error:
            raise cannot_write(error, path) from error

    @classmethod
    def open(
        cls, folder: Path, say: Callable[[str], object] = lambda _: None, script: Script | None = None
    ) -> RecordLog:
        """The log of a cell; a damaged one is said to be so, put aside, and begun anew."""
        try:
            return cls(folder, script)
        except Damaged as damage:
            kept = put_aside(folder)
            say(f"{damage}; kept as {kept.name}, and the cell is played anew")
            return cls(folder, script)

    def __enter__(self) -> RecordLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    @property
    def sha256(self) -> str:
        """The hash of all that the file must hold."""
        return self._sum.hexdigest()

    def whole(self) -> list[dict[str, Any]]:
        """The records of the whole script, as they are on the disk.

        Raises Damaged if they are not what was appended, or not all steps are closed.
        """
        path = self.folder / FILE
        try:
            data = read_plain(path)
        except FileNotFoundError:
            raise Damaged(f"{path} was taken away while the cell was played") from None
        if sha256(data) != self.sha256:
            raise Damaged(f"{path} was changed by something else while the cell was played")
        records, _ = parse_records(data, path)
        refuse_unfinished(records, self._script or {}, path)
        return records

    def memory_after(self, episode: str, step: int) -> str:
        """The digest of the memory behind a closed write."""
        return str(self._memories[episode, step])

    def answers_of(self, episode: str, step: int) -> list[dict[str, Any]]:
        """The answers of an Ask that an earlier run closed."""
        return [record for record in self._answers if (record["episode"], record["step"]) == (episode, step)]

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one record; the disk has it when a closing one returns.

        Raises DiskFull, LockLost, and MembenchError for what no record can hold.
        """
        line = _line(record)
        refuse_lost(self.folder)
        write_all(self._file, line, self.folder)
        self._sum.update(line)
        if record["type"] in CLOSING:
            os.fsync(self._file)
            self.closed.add((record["episode"], record["step"]))
            if "memory" in record:
                self._memories[record["episode"], record["step"]] = record["memory"]


def _line(record: Mapping[str, Any]) -> bytes:
    """The record as it stands in the file; one that could not be read again is refused here."""
    where = record.get("question") or f"{record['episode']}, step {record['step']}"
    if odd := [name for name in record.get("scores") or () if not isinstance(name, str)]:
        raise MembenchError(f"a score of {where} is called {odd[0]!r}: make it a text")
    try:
        text = json.dumps(record, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError:
        raise MembenchError(f"a score of {where} is not a finite number: has training diverged?") from None
    except TypeError as error:
        raise MembenchError(f"the record of {where} cannot be stored: {error}") from None
    try:
        line = text.encode()
        schema.record(line)
    except (UnicodeEncodeError, schema.Unfit) as error:
        raise MembenchError(f"the record of {where} cannot be stored: {error}") from None
    return line + b"\n"


def put_aside(folder: Path) -> Path:
    """Rename a damaged record file to the first free records.jsonl.damaged-N; returns the new path."""
    taken = {path.name for path in folder.glob(f"{FILE}.damaged-*")}
    number = next(n for n in range(1, len(taken) + 2) if f"{FILE}.damaged-{n}" not in taken)
    return (folder / FILE).rename(folder / f"{FILE}.damaged-{number}")
