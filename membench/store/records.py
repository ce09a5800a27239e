"""The records of a cell: one JSON object a line, of which a step exists once its closing one is there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from membench.errors import MembenchError
from membench.io.plain_files import NoFile, read_plain
from membench.store import schema
from membench.values import Answer

FILE = "records.jsonl"


CLOSING = frozenset({"write", "forget", "ask", "drift"})  # they close a step; answers stand before "ask"


class Damaged(MembenchError):
    """A file of a cell that no run can have written, or that is no longer what it was."""


def read_records(folder: Path) -> list[dict[str, Any]]:
    """The records of all closed steps, whether or not a result was made of them; none where there is no file.

    Raises Damaged, with file and line.
    """
    path = folder / FILE
    try:
        return parse_records(read_plain(path), path)[0]
    except FileNotFoundError:
        return []
    except NoFile as odd:
        raise Damaged(str(odd)) from None


def readable_records(folder: Path) -> tuple[list[dict[str, Any]], str | None]:
    """The records of all closed steps of a cell that failed, and the hash of their file; no record of a damaged file.

    The hash is None where there is no file or a damaged one.
    """
    path = folder / FILE
    try:
        data = read_plain(path)
        return parse_records(data, path)[0], sha256(data)
    except (FileNotFoundError, NoFile, Damaged):
        return [], None


def sha256(data: bytes) -> str:
    """64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def digest(folder: Path, name: str = FILE) -> str | None:
    """The sha256 of the record file, or another file of a cell, 64 hex digits; None if there is none to be read."""
    try:
        return sha256(read_plain(folder / name))
    except (FileNotFoundError, NoFile):
        return None


def answer_of(record: Mapping[str, Any]) -> Answer:
    """The answer that a record of type "answer" holds."""
    values = {f.name: record[f.name] for f in fields(Answer)}
    return Answer(**values | {"gold": tuple(record["gold"])})


def parse_records(data: bytes, path: Path) -> tuple[list[dict[str, Any]], int]:
    """The records in a file's bytes up to the last closing one, and the offset behind it.

    A last line without its newline is what a kill leaves and is dropped; any other line that is no record is damage,
    and so is a step that is closed twice, or whose answers are not those that it asked for. Raises Damaged.
    """
    records: list[dict[str, Any]] = []
    steps: set[tuple[str, int]] = set()
    closed, end, offset = 0, 0, 0
    for number, line in enumerate(data.split(b"\n")[:-1], 1):
        offset += len(line) + 1
        try:
            record = schema.record(line)
        except schema.Unfit as misfit:
            raise Damaged(f"{path}:{number}: damaged record ({misfit})") from None
        if record["type"] in CLOSING:
            if trouble := _closes_wrongly(record, records[closed:], steps):
                raise Damaged(f"{path}:{number}: {trouble}")
            steps.add((record["episode"], record["step"]))
            closed, end = len(records) + 1, offset
        records.append(record)
    return records[:closed], end


def _closes_wrongly(
    record: Mapping[str, Any], answers: Sequence[Mapping[str, Any]], steps: set[tuple[str, int]]
) -> str | None:
    here = record["episode"], record["step"]
    where = f"step {record['step'] + 1} of {record['episode']!r}"
    if here in steps:
        return f"{where} is closed twice"
    if any((a["episode"], a["step"]) != here for a in answers):
        return f"{where} is closed behind answers of another step"
    if len(answers) != record.get("questions", 0):
        return f"{where} asks {record.get('questions', 0)} questions and has {len(answers)} answers"
    return None
