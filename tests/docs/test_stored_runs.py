"""The stored runs play on a bare checkout, and what needs data of its own only where these are named."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
NEEDED = {"MEMBENCH_SQUAD": "squad:dev.json", "MEMBENCH_REDIAL": "redial:films"}


def play(script: str, folder: Path, **data: str) -> tuple[list[str], list[str]]:
    """What a script asks of `membench`, and what it says, where these variables are set."""
    log = folder / "log"
    for name in ("membench", "python"):
        (folder / name).write_text(f'#!/bin/sh\necho "$@" >>{log}\n')
        (folder / name).chmod(0o755)
    log.unlink(missing_ok=True)
    bare = {key: value for key, value in os.environ.items() if key not in NEEDED}
    env = bare | {"PATH": f"{folder}:{os.environ['PATH']}"} | data
    done = subprocess.run(["bash", str(BENCHMARKS / script)], env=env, capture_output=True, text=True, check=True)
    return log.read_text().splitlines(), done.stderr.splitlines()


@pytest.mark.parametrize(("script", "most"), [("reference.sh", "-t contamination"), ("experiment.sh", "-t batch")])
def test_what_needs_data_is_left_out_with_one_line_each(script: str, most: str, tmp_path: Path) -> None:
    played, said = play(script, tmp_path)
    assert said == [f"{name} is not set: what needs it is left out" for name in NEEDED]
    assert not any("squad" in line or "redial" in line for line in played)
    assert any(most in line for line in played)


@pytest.mark.parametrize("script", ["reference.sh", "experiment.sh"])
def test_what_needs_data_comes_last(script: str, tmp_path: Path) -> None:
    bare, _ = play(script, tmp_path)
    played, said = play(script, tmp_path, **NEEDED)
    assert said == []
    assert played[: len(bare)] == bare
    on = [line.partition("--data ")[2].split()[0] for line in played[len(bare) :]]
    assert list(dict.fromkeys(on)) == list(NEEDED.values())
