"""Hashes of files by content. Size and time of change never stand in for it, as tools keep and set them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

from membench.io.plain_files import NoFile, read_plain
from membench.io.user_files import user_path

SMALL = 8 << 20  # bytes up to which a file is read every time
FRESH = 2.0  # seconds for which a change may leave no trace in the times that a file system keeps

# What saving a model writes down of the program that saved it; none of it says how the model reads.
_NOTES = frozenset(
    {"transformers_version", "_name_or_path", "name_or_path", "_commit_hash", "is_local", "local_files_only"}
)


def file_hash(path: Path, notes: Path) -> str:
    """The sha256 of a file's bytes, 64 hex digits.

    That of a large file is kept in the folder `notes`, and holds as long as the system's own record of the file (inode
    and the time of its last change, which no program can set) stays as it was.
    """
    return _hash(path, notes, canonical=False)


def json_hash(path: Path, notes: Path) -> str:
    """As `file_hash`, of what a JSON file says: layout, order of keys and who saved it do not count.

    Of a file that is no JSON it is the hash of its bytes.
    """
    return _hash(path, notes, canonical=True)


def content_key(argument: str) -> str:
    """What a file holds, as a key: 64 hex digits; "" for what is no file that can be read."""
    try:
        return hashlib.sha256(read_plain(user_path(argument))).hexdigest()
    except (FileNotFoundError, NoFile):
        return ""


def state_of(path: Path) -> tuple[str, ...]:
    """The system's own record of a file, as a key that changes whenever the file does; far cheaper than its hash."""
    return (str(path.absolute()), *map(str, _state(path).values()))


def _hash(path: Path, notes: Path, canonical: bool) -> str:
    before = _state(path)
    if before["size"] <= SMALL:
        return _digest(path, canonical)
    kind = "json" if canonical else "bytes"
    note = notes / f"{hashlib.sha256(f'{kind} {path.absolute()}'.encode()).hexdigest()[:16]}.json"
    with contextlib.suppress(OSError, ValueError):  # no note, or none that can be read: it is made anew
        known = json.loads(note.read_text(encoding="utf-8"))
        if isinstance(known, dict) and known.get("file") == before:
            return str(known["sha256"])
    digest = _digest(path, canonical)
    settled = time.time() - before["changed"] / 1e9 > FRESH
    if settled and _state(path) == before:
        with contextlib.suppress(OSError):  # where it cannot be kept, it is made anew next time
            notes.mkdir(parents=True, exist_ok=True)
            part = note.with_suffix(f".{os.getpid()}.part")
            part.write_text(json.dumps({"file": before, "sha256": digest}), encoding="utf-8")
            part.replace(note)
    return digest


def _state(path: Path) -> dict[str, Any]:
    found = path.stat()
    return {
        "device": found.st_dev, "inode": found.st_ino, "size": found.st_size, "modified": found.st_mtime_ns,
        "changed": found.st_ctime_ns,
    }  # fmt: skip


def _digest(path: Path, canonical: bool) -> str:
    if not canonical:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    data = path.read_bytes()
    with contextlib.suppress(ValueError, RecursionError):
        value = json.loads(data)
        if isinstance(value, dict):
            value = {key: part for key, part in value.items() if key not in _NOTES}
        data = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(data).hexdigest()
