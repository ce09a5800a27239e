"""The reference run plays on a bare checkout, and what needs data of its own only where these are named."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "reference.sh"
NEEDED = {"MEMBENCH_SQUAD": "squad:dev.json", "MEMBENCH_REDIAL": "redial:films"}


def play(folder: Path, **data: str) -> tuple[list[str], list[str]]:
    """What the script asks of `membench`, and what it says, where these variables are set."""
    command, log = folder / "membench", folder / "log"
    command.write_text(f'#!/bin/sh\necho "$@" >>{log}\n')
    command.chmod(0o755)
    log.unlink(missing_ok=True)
    bare = {key: value for key, value in os.environ.items() if key not in NEEDED}
    env = bare | {"PATH": f"{folder}:{os.environ['PATH']}"} | data
    done = subprocess.run(["bash", str(SCRIPT)], env=env, capture_output=True, text=True, check=True)
    return log.read_text().splitlines(), done.stderr.splitlines()


def test_what_needs_data_is_left_out_with_one_line_each(tmp_path: Path) -> None:
    played, said = play(tmp_path)
    assert said == [f"{name} is not set: what needs it is left out" for name in NEEDED]
    assert not any("squad" in line or "redial" in line for line in played)
    assert any("-t contamination" in line for line in played)


def test_what_needs_data_comes_last(tmp_path: Path) -> None:
    bare, _ = play(tmp_path)
    played, said = play(tmp_path, **NEEDED)
    assert said == []
    assert played[: len(bare)] == bare
    on = [line.partition("--data ")[2].split()[0] for line in played[len(bare) :]]
    assert list(dict.fromkeys(on)) == list(NEEDED.values())
