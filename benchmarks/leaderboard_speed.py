"""How long `membench leaderboard` takes over many stored cells: seconds of wall and processor time by format.

    python benchmarks/leaderboard_speed.py [CELLS [CONTEXTS [FORMAT,...]]]

1,000 cells of 20 contexts with 5 questions each by default; imports are included. Floor and reference are the same for
all cells of a task, as in real runs. The first line is the first look at a folder, the others are later ones.
"""

from __future__ import annotations

import itertools
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from membench.store import cell_folder
from membench.store.recipe import cell_id
from membench.tables.render import FORMATS
from membench.views import PLACEBO_SCORES, SCORES, SPLIT_SCORES

VIEWS = {"all": SCORES, "rehearsed": SPLIT_SCORES, "unrehearsed": SPLIT_SCORES, "placebo": PLACEBO_SCORES}


def summary(rng: random.Random, contexts: int, views: Mapping[str, Sequence[str]] = VIEWS) -> dict[str, object]:
    out: dict[str, object] = {}
    for view, scores in views.items():
        for score in scores:
            values = {f"w0-{k}": round(rng.random(), 6) for k in range(contexts)}
            out[f"{score}/{view}"] = {"value": round(sum(values.values()) / contexts, 6), "contexts": values}
    return out


def controls(rng: random.Random, contexts: int) -> dict[str, object]:
    return summary(rng, contexts, dict.fromkeys(("need", "near", "mid", "far"), ("contains",)))


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
        folder = root / f"{names[0]}--{names[1]}--{cell_id(what)[:12]}"
        folder.mkdir()
        result = {
            "schema": 1, "id": cell_id(what), "status": "done", "reason": None, "recipe": what,
            "summary": summary(rng, contexts), "yardsticks": yardsticks[names[0]],
            "overlap": {f"w0-{k}-q{q}": round(rng.random(), 6) for k in range(contexts) for q in range(5)},
            "controls": {"questions": 100, "sizes": {"need": 50}, "metrics": controls(rng, contexts)},
            "ledger": {"parameters": 10**8, "write_flops_per_context": rng.random() * 1e12},
            "costs": {"write_seconds_per_context": rng.random(), "state_bytes_per_context": rng.random() * 1e6},
            "counts": {"contexts": contexts, "questions": 100, "answered": 100},
        }  # fmt: skip
        cell_folder.write_json(folder / cell_folder.RESULT, result)


def timed(folder: Path, form: str) -> str:
    """Wall and processor seconds of one look at the folder, and how much was printed."""
    command = [sys.executable, "-m", "membench", "leaderboard", str(folder), "--format", form]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, capture_output=True, check=True)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
    return f"{form:6} {wall:5.2f} s, {user:5.2f} s user, {system:5.2f} s system, {len(done.stdout):,} bytes out"


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    contexts = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    forms = sys.argv[3].split(",") if len(sys.argv) > 3 else ["md", *FORMATS]
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder), count, contexts)
        print(f"{count} cells")
        for form in forms:
            print(timed(Path(folder), form), flush=True)


if __name__ == "__main__":
    main()
