"""How long `membench report` takes over many stored cells and how large its page is, imports included.

    python -m benchmarks.report_speed [CELLS]

200 cells by default: single, batch and sequential, 20 contexts of 5 questions (sequential: 2, asked after each write).
"""

from __future__ import annotations

import itertools
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.stored_cells import put_cell, recipe

TASKS = {"single": 5, "batch": 5, "sequential": 2}


def generate(root: Path, count: int) -> int:
    """Store the cells; returns how many answers they have."""
    answers = 0
    for name in ("base", "in-context"):
        put_cell(root, recipe("gold", name, limit=20), 20, 5, 0.02 if name == "base" else 0.9)
    plan = itertools.product(range(-(-count // 60)), TASKS, range(20))
    for setting, task, number in itertools.islice(plan, count):
        method = "memoryllm" if number == 0 else f"method-{number}"
        what = recipe(task, method, limit=20, settings={"size": 1024, "new": 32 * (setting + 1)})
        result = put_cell(root, what, 20, TASKS[task], number / 20, drift=4 if task == "sequential" else 0)
        answers += result["counts"]["answered"]
    return answers


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as folder:
        answers = generate(Path(folder) / "cells", count)
        page = Path(folder) / "report.html"
        command = [sys.executable, "-m", "membench", "report", str(Path(folder) / "cells"), "-o", str(page)]
        started = time.perf_counter()
        subprocess.run(command, check=True)
        seconds = time.perf_counter() - started
        used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        took = f"{seconds:.1f} s ({used:.1f} s of processor)"
        print(f"{took} for {count} cells with {answers:,} answers, {page.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
