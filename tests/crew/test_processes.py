"""Workers that are processes: one is killed in play, and the run is that of one process all the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

import membench
from membench.cli import main
from membench.crew.worker import plain
from membench.errors import MembenchError
from membench.io.locks import owner_of
from membench.planning.request import Request
from membench.running.progress import Reporter
from membench.running.runner import sessions_of
from membench.store import cell_folder
from tests.support.killed_runs import stored


def kill_in_play(root: Path, seen: list[dict[str, Any]], over: threading.Event) -> None:
    """Kill the first worker that plays a method's cell, once it has closed a step; look at the status before."""
    while not over.is_set():
        for folder in root.glob("sequential--*"):
            owner = owner_of(folder / ".lock")
            if owner and owner.pid != os.getpid() and any(path.stat().st_size for path in folder.glob("records.jsonl")):
                seen.append(json.loads(CliRunner().invoke(main, ["status", str(root), "--json"]).stdout))
                os.kill(owner.pid, signal.SIGKILL)
                seen.append({"killed": owner.pid})
                return
        time.sleep(0.002)


def test_a_killed_worker_leaves_no_trace(
    tiny: Path, data_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    given: dict[str, Any] = {"data": f"jsonl:{data_file}", "model": str(tiny), "limit": 3}
    seen: list[dict[str, Any]] = []
    over = threading.Event()
    killer = threading.Thread(target=kill_in_play, args=(tmp_path / "many", seen, over))
    killer.start()
    try:
        many = membench.run("bm25", "sequential", workers=2, output=tmp_path / "many", **given)
    finally:
        over.set()
        killer.join()
    one = membench.run("bm25", "sequential", output=tmp_path / "one", **given)
    assert [r["id"] for r in many] == [r["id"] for r in one]
    assert [r["status"] for r in many] == ["done"] * 3
    assert stored(tmp_path / "many") == stored(tmp_path / "one")
    status, killed = seen
    assert killed["killed"] in [play["pid"] for play in status["playing"]]
    assert status["planned"] == 3
    assert all(play["since"] and play["steps"] == 6 for play in status["playing"])
    assert "is gone (SIGKILL)" in capfd.readouterr().err


def test_a_worker_stores_its_cell_though_the_run_is_gone(tiny: Path, data_file: Path, tmp_path: Path) -> None:
    data = (f"jsonl:{data_file}",)
    request = Request(("bm25",), ("sequential",), data, str(tiny), limit=2, yardsticks=False, output=tmp_path / "r")
    request.output.mkdir()
    (cell,) = sessions_of([request], Reporter(Console(quiet=True)))[0].cells
    begin = {
        "do": "begin",
        "requests": [plain(request)],
        "debug": False,
        "first": 0,
        "check": None,
        "cwd": str(tmp_path),
    }
    play = {"do": "play", "session": 0, "id": cell.recipe_id, "number": 1, "count": 1, "failed": {}}
    messages, answers = os.pipe(), os.pipe()
    os.write(messages[1], f"{json.dumps(begin)}\n{json.dumps(play)}\n".encode())
    ends = (messages[0], answers[1])
    worker = subprocess.Popen([sys.executable, "-m", "membench.crew.worker_process", *map(str, ends)], pass_fds=ends)
    os.close(answers[1])
    with os.fdopen(answers[0], "rb") as ready:
        assert json.loads(ready.readline()) == {"said": [f"loading {tiny.name} on cpu (float32, plain prompt)"]}
    for end in messages:  # as the system does with them all when the run is killed
        os.close(end)
    assert worker.wait() == 0
    assert cell_folder.finished(tmp_path / "r", cell.recipe)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": 0}, "workers must be at least 1, got 0"),
        ({"executor": "dask"}, "unknown executor 'dask': choose from local, ray, slurm"),
        ({"address": "1.2.3.4:6379"}, "address is that of a Ray cluster: say --executor ray too"),
        ({"executor_settings": ("slurm_partition=gpu",)}, "executor settings are those of SLURM's jobs"),
    ],
)
def test_what_does_not_go_together_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(MembenchError, match=message):
        membench.run("bm25", "single", **options)
