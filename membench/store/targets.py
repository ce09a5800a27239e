"""The target sentences that a method was trained on, kept beside its records."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from membench.io.atomic_files import replace_file
from membench.io.plain_files import NoFile, read_plain
from membench.store import schema
from membench.store.records import Damaged, digest
from membench.values import Pair

TARGETS = "targets.jsonl"


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
    try:
        lines = read_plain(path).split(b"\n")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except NoFile as odd:
        raise Damaged(str(odd)) from None
    found = {}
    for number, line in enumerate(lines, 1):
        if line:
            try:
                row = schema.target(line)
            except schema.Unfit as misfit:
                raise Damaged(f"{path}:{number}: damaged record ({misfit})") from None
            found[row["context"]] = tuple(Pair(p["question"], p["answer"]) for p in row["pairs"])
    return found


def sound_targets(folder: Path, result: Mapping[str, Any]) -> dict[str, tuple[Pair, ...]]:
    """The same, if this result was made with them. Raises Damaged."""
    if "targets_sha256" in result and digest(folder, TARGETS) != result["targets_sha256"]:
        raise Damaged(f"{folder / TARGETS} is not the file that the result was made of")
    return read_targets(folder)


def own_files(folder: Path, result: Mapping[str, Any]) -> tuple[bool, bool]:
    """Whether records, and whether targets are the files that this result was made of, by their hashes."""
    targets = "targets_sha256" not in result or digest(folder, TARGETS) == result["targets_sha256"]
    records = result.get("records_sha256")
    return records is not None and digest(folder) == records, targets
