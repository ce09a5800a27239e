"""How long `membench leaderboard` takes over many stored cells: prints seconds by format, imports included.

    python benchmarks/leaderboard_speed.py [CELLS [CONTEXTS]]

1,000 cells of 20 contexts by default. Floor and reference are the same for all cells of a task, as in real runs.
"""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from membench import store
from membench.views import PLACEBO_SCORES, SCORES, SPLIT_SCORES

VIEWS = {"all": SCORES, "rehearsed": SPLIT_SCORES, "unrehearsed": SPLIT_SCORES, "placebo": PLACEBO_SCORES}
READ = """
import sys, pathlib
from membench import tables as leaderboard, render, store
sys.stdout.write(render.render(leaderboard.tables(store.cells(pathlib.Path(sys.argv[1]))), sys.argv[2]))
"""


def summary(rng: random.Random, contexts: int) -> dict[str, object]:
    out: dict[str, object] = {}
    for view, scores in VIEWS.items():
        for score in scores:
            values = {f"w0-{k}": round(rng.random(), 6) for k in range(contexts)}
            out[f"{score}/{view}"] = {"value": round(sum(values.values()) / contexts, 6), "contexts": values}
    return out


def recipe(task: str, method: str, setting: int, seed: int) -> dict[str, object]:
    return {
        "task": task, "task_settings": {}, "data": "worlds", "data_hash": "0" * 16, "limit": 20, "model": "some-model",
        "weights_hash": "0" * 64, "dtype": "float32", "style": "plain", "prompt_hash": "0" * 16, "metric_version": 1,
        "method": method, "method_version": 1, "settings": {"lr": setting}, "defaults": {"lr": 1}, "seed": seed,
    }  # fmt: skip


def generate(root: Path, count: int, contexts: int) -> None:
    rng = random.Random(0)
    tasks = ("single", "batch", "sequential", "other")
    yardsticks = {task: {"base": summary(rng, contexts), "in-context": summary(rng, contexts)} for task in tasks}
    methods = [f"method-{k}" for k in range(10)]
    plan = itertools.product(tasks, methods, range(5), range(-(-count // 200)))
    for names in itertools.islice(plan, count):
        what = recipe(*names)
        folder = root / f"{names[0]}--{names[1]}--{store.cell_id(what)[:12]}"
        folder.mkdir()
        result = {
            "schema": 1, "id": store.cell_id(what), "status": "done", "reason": None, "recipe": what,
            "summary": summary(rng, contexts), "yardsticks": yardsticks[names[0]],
            "costs": {"write_seconds_per_context": rng.random()},
            "counts": {"contexts": contexts, "questions": 100, "answered": 100},
        }  # fmt: skip
        store.write_json(folder / store.RESULT, result)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    contexts = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder), count, contexts)
        for form in ("rich", "md", "latex", "json", "csv"):
            started = time.perf_counter()
            done = subprocess.run([sys.executable, "-c", READ, folder, form], capture_output=True, check=True)
            seconds = time.perf_counter() - started
            print(f"{form:6} {seconds:5.2f} s for {count} cells, {len(done.stdout):,} bytes out")


if __name__ == "__main__":
    main()
