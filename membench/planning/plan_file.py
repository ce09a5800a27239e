"""What a run says in its folder of what it is going to play, so that others can tell how far it is."""

from __future__ import annotations

import hashlib
import json
import math
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from membench.io.atomic_files import make_folder, replace_file, sweep_parts
from membench.io.plain_files import NoFile, read_plain

RUNS, NAME = "runs", "plan-*.json"


@dataclass(frozen=True)
class Planned:
    """A cell: its folder's name, how it is called, how many steps it has and how long it may take."""

    id: str
    folder: str
    title: str
    steps: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Plan:
    """The cells of one run, in the order of play, those that were done before too; and who runs it since when."""

    cells: tuple[Planned, ...]
    host: str
    pid: int
    started: str


def write_plan(root: Path, cells: Sequence[Planned]) -> None:
    """Keep the plan of this process's run; the same cells have the same file. Raises CannotWrite."""
    name = hashlib.sha256(" ".join(sorted(cell.id for cell in cells)).encode()).hexdigest()[:12]
    folder = root / RUNS
    make_folder(folder)
    sweep_parts(folder)
    head = {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    text = json.dumps({**head, "cells": [asdict(cell) for cell in cells]}, ensure_ascii=False, indent=0)
    replace_file(folder / NAME.replace("*", name), text.encode(errors="replace"), durable=False)


def read_plans(root: Path) -> list[Plan]:
    """The plans of all runs in a folder, the latest last; what is none is left out."""
    found = [plan for path in sorted((root / RUNS).glob(NAME)) if (plan := _read(path))]
    return sorted(found, key=lambda plan: plan.started)


def _read(path: Path) -> Plan | None:
    try:
        value: Mapping[str, Any] = json.loads(read_plain(path))
        cells = tuple(Planned(**cell) for cell in value["cells"])
        whole = all(isinstance(text, str) for c in cells for text in (c.id, c.folder, c.title))
        numbers = all(n is None or 0 <= n < math.inf for c in cells for n in (c.steps, c.seconds))
        plan = Plan(cells, str(value["host"]), int(value["pid"]), str(value["started"]))
    except (NoFile, FileNotFoundError, ValueError, RecursionError, TypeError, KeyError):
        return None
    return plan if whole and numbers else None
