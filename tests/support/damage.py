"""Stored cells with one damage each, by number, and what every command makes of them. Also for benchmarks."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from membench.cli.app import main
from membench.cli.shared.shell import NO_CHOICE
from membench.store import cell_folder
from membench.store.records import FILE, digest
from tests.support.stored_cells import put_cell, recipe

FILES = ("result.json", "result.json", "recipe.json", FILE, FILE)
ODD: tuple[Any, ...] = (
    None, "1", "", [], {}, [1], {"a": 1}, True, -1, 1e308, float("nan"), float("inf"), 10**30, "\x1b[31m", [[]],
)  # fmt: skip


def sound_root(root: Path) -> Path:
    """A folder of cells that all commands can read."""
    played = [("sequential", method, seed) for method in ("bm25", "full-context", "ft-c") for seed in range(2)]
    for task, method, seed in (*played, ("gold", "base", 0), ("gold", "in-context", 0)):
        what = recipe(task, method, seed, data="jsonl:gone.jsonl")
        result = put_cell(root, what, contexts=6)
        path = cell_folder.folder_of(root, what) / FILE
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        path.write_text("".join(f"{json.dumps(r | _distractors(r))}\n" for r in rows))
        cell_folder.finish(path.parent, result, digest(path.parent))
    return root


def _distractors(record: dict[str, Any]) -> dict[str, Any]:
    """So that answers can be scored anew without their data."""
    return {"distractors": ["a wrong one"]} if record["type"] == "answer" else {}


def damage(root: Path, number: int) -> tuple[Path, str, bool]:
    """Spoil one file of one cell; returns the cell's folder, what was done, and whether its hash was forged to fit."""
    rng = random.Random(number)
    folder = rng.choice(sorted(root.iterdir()))
    path = folder / rng.choice(FILES)
    forged = False
    if rng.random() < 0.6:
        what = _change_json(path, rng)
        if path.name == FILE and (forged := rng.random() < 0.5):
            result = json.loads((folder / "result.json").read_text())
            cell_folder.write_json(folder / "result.json", result | {"records_sha256": digest(folder)})
    else:
        what = _change_file(path, rng)
    return folder, f"{number}: {path.name}: {what}", forged


def _change_json(path: Path, rng: random.Random) -> str:
    lines = path.read_text().splitlines() if path.name == FILE else [path.read_text()]
    k = rng.randrange(len(lines))
    value = json.loads(lines[k])
    holder, key = rng.choice(list(_places(value)))
    how = rng.choice(("odd", "odd", "odd", "gone", "extra"))
    if how == "gone":
        del holder[key]
    elif how == "extra" and isinstance(holder, list):
        holder.append(rng.choice(ODD))
    else:
        holder[key] = rng.choice([odd for odd in ODD if odd is not holder[key]])
    lines[k] = json.dumps(value)
    path.write_text("".join(f"{line}\n" for line in lines))
    return f"{how} at {key!r} of line {k + 1}"


def _places(value: Any, deep: int = 0) -> Iterator[tuple[Any, Any]]:
    """Every place in plain data; of long mappings the first ones."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    for key in keys[:40]:
        yield value, key
        if isinstance(value[key], dict | list) and deep < 4:
            yield from _places(value[key], deep + 1)


def _change_file(path: Path, rng: random.Random) -> str:
    data = path.read_bytes()
    how = rng.choice(("cut", "byte", "empty", "folder", "pipe", "link to nothing", "deep", "gone", "noise", "twice"))
    at = rng.randrange(len(data))
    changed = {
        "cut": data[:at], "byte": data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :], "empty": b"",
        "deep": b"[" * 100_000, "noise": rng.randbytes(200), "twice": data + data,
    }.get(how)  # fmt: skip
    path.unlink()
    if changed is not None:
        path.write_bytes(changed)
    elif how == "folder":
        path.mkdir()
    elif how == "pipe":
        os.mkfifo(path)
    elif how == "link to nothing":
        path.symlink_to(path.with_name("nothing"))
    return f"{how} at {at}"


def commands(root: Path, folder: Path, report: bool) -> list[list[str]]:
    """Every command that reads what is stored, about this root and this cell of it."""
    at = ["-o", str(root)]
    found = [
        ["leaderboard", str(root), "--format", "md"], ["ls", "runs", *at], ["show", folder.name, *at],
        ["export", str(root.parent / "all.csv"), *at], ["compare", "bm25", "full-context", *at], ["verify", str(root)],
        ["advise", str(root), "--contexts", "9", "--questions", "9"], ["score", "--all", *at],
    ]  # fmt: skip
    return [*found, ["report", str(root), "-o", str(root.parent / "page.html")]] if report else found


def troubles(pristine: Path, work: Path, number: int, every: bool = True) -> Iterator[str]:
    """What goes wrong when commands meet damage of this number: tracebacks, other cells' trouble, laundering.

    All commands, or in turn, one with another number.
    """
    root = Path(shutil.copytree(pristine, work / "results"))
    try:
        folder, what, forged = damage(root, number)
        before = _stored(folder)
        others = {p: _stored(p) for p in root.iterdir() if p != folder}
        spoilt = {c.folder: c for c in cell_folder.checked(cell_folder.cells(root))}
        yield from (
            f"{what}: {p.name} became {spoilt[p].status}"
            for p in others
            if p not in spoilt or (spoilt[p].damage and "is the cell of" not in str(spoilt[p].damage))
        )
        meant = commands(root, folder, number % 25 == 0)
        for command in meant if every else [meant[number % len(meant)]]:
            found = CliRunner().invoke(main, command)
            if found.exception is not None and not isinstance(found.exception, SystemExit):
                yield f"{what}: {command[0]}: {found.exception!r}"
            elif found.exit_code not in ((0, 1, 2, NO_CHOICE) if command[0] == "advise" else (0, 1, 2)):
                yield f"{what}: {command[0]}: status {found.exit_code}"
            elif found.exit_code == 2 and len(found.stderr.splitlines()) > 3:
                yield f"{what}: {command[0]}: {found.stderr}"
        cell = spoilt.get(folder)
        if cell is not None and cell.damage and not forged and _stored(folder) != before:
            yield f"{what}: what was damaged was written anew"
    finally:
        shutil.rmtree(root)


def _stored(folder: Path) -> dict[str, bytes | None]:
    return {name: (folder / name).read_bytes() if (folder / name).is_file() else None for name in ("result.json", FILE)}
