"""Array jobs, run by submitit's own executor for a single machine in SLURM's place; one of them is killed in play."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import membench
from membench.crew import slurm_jobs
from membench.errors import MembenchError
from membench.io.locks import owner_of
from tests.support.killed_runs import stored

pytest.importorskip("submitit")


@pytest.mark.scale
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_killed_job_leaves_its_cells_to_the_others(
    tiny: Path, data_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slurm_jobs, "POLL_SECONDS", 0.1)
    given: dict[str, Any] = {"data": f"jsonl:{data_file}", "model": str(tiny), "limit": 3, "seeds": (0, 1)}
    killed, over = list[int](), threading.Event()

    def kill() -> None:
        while not over.is_set():
            for folder in (tmp_path / "jobs").glob("sequential--*"):
                if (owner := owner_of(folder / ".lock")) and list(folder.glob("records.jsonl")):
                    os.kill(owner.pid, signal.SIGKILL)
                    killed.append(owner.pid)
                    return
            time.sleep(0.002)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        options = {"workers": 2, "executor": "slurm", "executor_settings": ("cluster=local", "timeout_min=10")}
        many = membench.run("bm25", "sequential", output=tmp_path / "jobs", **options, **given)
    finally:
        over.set()
        killer.join()
    assert killed
    one = membench.run("bm25", "sequential", output=tmp_path / "one", **given)
    assert [(r["id"], r["status"]) for r in many] == [(r["id"], "done") for r in one]
    ours = {name: what for name, what in stored(tmp_path / "jobs").items() if not name.startswith("runs/")}
    assert ours == stored(tmp_path / "one")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ((), r"no SLURM here \(srun is not found\): call from a node that can submit jobs"),
        (("slurm_partition",), "executor setting 'slurm_partition': write KEY=VALUE"),
        (("cluster=local", "speed=9"), "SLURM's jobs cannot be set so: "),
    ],
)
def test_what_cannot_be_submitted_is_one_line(
    settings: tuple[str, ...], message: str, tiny: Path, data_file: Path, tmp_path: Path
) -> None:
    given: dict[str, Any] = {"data": f"jsonl:{data_file}", "model": str(tiny), "output": tmp_path / "r"}
    with pytest.raises(MembenchError, match=message):
        membench.run("bm25", "single", workers=2, executor="slurm", executor_settings=settings, **given)
