"""Runs in processes of their own that are killed where a test wants it, and what they leave on the disk."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

KILLING = Path(__file__).with_name("killing.py")


Job = dict[str, Any]

OWN = (".lock.lease", ".lock.since")  # of a process that is killed


def play(*groups: list[Job]) -> list[list[int]]:
    """Run the groups of jobs; returns the signal that ended each."""
    done = subprocess.run(
        [sys.executable, str(KILLING)], input=json.dumps(groups), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    ended: list[list[int]] = json.loads(done.stdout.splitlines()[-1])
    assert all(status >= 0 for group in ended for status in group), done.stderr
    return ended


def request(tiny: Path, data_file: Path, output: Path) -> Job:
    return {
        "methods": ["selfparam", "bm25"],
        "tasks": ["sequential"],
        "data": [f"jsonl:{data_file}"],
        "model": str(tiny),
        "limit": 3,
        "method_settings": ["epochs=2", "batch_size=1", "rank=2", "generic=0", "precision=float32"],
        "output": str(output),
    }


def timeless(value: Any) -> Any:
    """Without what two runs may differ in: seconds, the process's memory and threads, and when it was."""
    if isinstance(value, dict):
        gone = ("seconds", "cell_peak_bytes", "beside", "started", "finished", "records_sha256", "threads")
        return {k: timeless(v) for k, v in value.items() if k not in gone and "_seconds_" not in k}
    return [timeless(item) for item in value] if isinstance(value, list) else value


def stored(folder: Path) -> dict[str, Any]:
    """All that lies under a results folder, by path, but what a kill may leave: parts of a recipe, its own lease."""
    out: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if name.startswith("runs/plan-"):
            continue
        if path.is_dir() or path.name.startswith("recipe.json.") or path.name in OWN:
            continue
        if path.suffix in (".json", ".jsonl"):
            text = path.read_text()
            lines = text.splitlines() if path.suffix == ".jsonl" else [text]
            out[name] = [timeless(json.loads(line)) for line in lines]
        else:
            out[name] = path.read_bytes()
    return out
