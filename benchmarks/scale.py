"""Many workers: how long runs take, what a cell costs beside its play, and what is lost when workers are killed.

    python benchmarks/scale.py [--part sleep|model|kill] [--cells 1000] [--seconds 0.2] [--workers 1,2,4,8,16]

`sleep`: cells of a method that sleeps instead of answering, on a tiny model. `kill`: the same with four workers, of
which one is killed every two seconds. `model`: 32 cells of cheap methods on the default model with one worker and two.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from membench.io.locks import owner_of
from membench.plugins.tiny_model import tiny_llm
from membench.store import cell_folder

SLEEPER = '''
import time
from dataclasses import dataclass
from membench.api import Method, Recall

@dataclass(frozen=True)
class Sleeper(Method):
    """Sleeps while it writes, and answers nothing."""
    seconds: float = 0.2

    def write(self, memory, contexts):
        time.sleep(self.seconds)
        return "slept"

    def recall(self, memory, questions):
        return Recall(contexts=((),) * len(questions))

    def answer(self, memory, questions):
        return [""] * len(questions)
'''


def plugin(folder: Path) -> dict[str, str]:
    """The method as an installed package of its own; the environment in which it is found."""
    info = folder / "sleeper-1.dist-info"
    info.mkdir()
    (folder / "sleeper.py").write_text(SLEEPER)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sleeper\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[membench.methods]\nsleeper = sleeper:Sleeper\n")
    path = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path, "MEMBENCH_HOME": str(folder / "home")}


def start(environment: dict[str, str], output: Path, *options: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "membench", "run", "-o", str(output), *options]
    log = (output.parent / f"{output.name}.log").open("wb")
    return subprocess.Popen(command, env=environment, stdout=log, stderr=log)


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def sleeping(root: Path, cells: int, seconds: float, workers: int, name: str) -> tuple[subprocess.Popen[bytes], Path]:
    model = tiny_llm(root / "tiny") if not (root / "tiny").exists() else root / "tiny"
    environment = plugin(root) if not (root / "sleeper.py").exists() else None
    path = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))
    environment = environment or {**os.environ, "PYTHONPATH": path, "MEMBENCH_HOME": str(root / "home")}
    seeds = ",".join(map(str, range(cells)))
    options = ("-m", "sleeper", "-t", "batch", "--model", str(model), "-L", "2", "--seeds", seeds, "--no-yardsticks")
    output = root / name
    return start(environment, output, *options, "-M", f"seconds={seconds}", "--workers", str(workers)), output


def ends(output: Path) -> list[float]:
    """When each cell was stored, in order."""
    return sorted(path.stat().st_mtime for path in output.glob("*/result.json"))


def sleep(cells: int, seconds: float, counts: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for workers in counts:
            begun, before = time.time(), cpu()
            process, output = sleeping(Path(folder), cells, seconds, workers, f"sleep-{workers}")
            process.wait()
            stored = ends(output)
            each = (stored[-1] - stored[0]) / (len(stored) - 1) * workers
            beside, core = 1000 * (each - seconds), 1000 * (cpu() - before) / cells
            head = f"{workers:2} workers, {cells} cells that sleep {seconds:g} s: {time.time() - begun:.1f} s"
            print(
                f"{head}, the first one after {stored[0] - begun:.1f} s; beside its sleep a cell took {beside:.0f} "
                f"ms, and {core:.0f} ms of a core with the start; lost {cells - len(stored)}",
                flush=True,
            )


def kill(cells: int, seconds: float) -> None:
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        process, output = sleeping(Path(folder), cells, seconds, 4, "kill")
        killed = 0
        while process.poll() is None:
            time.sleep(2)
            owners = [owner for lock in output.glob("*/.lock.lease") if (owner := owner_of(lock.with_suffix("")))]
            if owners:
                os.kill(rng.choice(owners).pid, signal.SIGKILL)
                killed += 1
        found = cell_folder.cells(output)
        done = sum(cell.status == "done" and not cell.damage for cell in found)
        print(
            f"4 workers, {killed} of them killed in play: {done} of {cells} cells done, {cells - done} lost", flush=True
        )


def model() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for workers in (1, 2):
            begun = time.time()
            options = ("-m", "bm25,full-context", "-t", "batch", "-L", "2", "--seeds", ",".join(map(str, range(15))))
            process = start(dict(os.environ), Path(folder) / f"model-{workers}", *options, "--workers", str(workers))
            process.wait()
            count = len(ends(Path(folder) / f"model-{workers}"))
            print(f"{workers} workers, {count} cells of the default model: {time.time() - begun:.0f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--part", choices=["sleep", "model", "kill"])
    parser.add_argument("--cells", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=0.2)
    parser.add_argument("--workers", default="1,2,4,8,16")
    given = parser.parse_args()
    if given.part in (None, "sleep"):
        sleep(given.cells, given.seconds, [int(n) for n in given.workers.split(",")])
    if given.part in (None, "kill"):
        kill(given.cells, given.seconds)
    if given.part in (None, "model"):
        model()


if __name__ == "__main__":
    main()
