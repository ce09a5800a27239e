"""Cells on the disk as runs leave them, without a model: chance answers, the real summaries. Also for benchmarks."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from membench.planning.restore import task_of
from membench.store import cell_folder
from membench.store.recipe import cell_id
from membench.store.records import digest
from membench.store.summary import summarise_cell

WORDS = ("harbour", "purple", "cinnamon", "Ines Corde", "1874", "marble", "Tam Reed", "the old lighthouse", "nothing")


def recipe(task: str, method: str, seed: int = 0, **changed: Any) -> dict[str, Any]:
    settings = changed.pop("settings", {})
    return {
        "task": task, "task_settings": {}, "data": "worlds", "data_hash": "d" * 16, "limit": 8, "model": "some-model",
        "weights_hash": "0" * 64, "dtype": "float32", "style": "plain", "prompt_hash": "0" * 16, "metric_version": 1,
        "method": method, "method_version": 1, "settings": settings, "defaults": dict.fromkeys(settings), "seed": seed,
    } | changed  # fmt: skip


def put_cell(
    root: Path,
    what: Mapping[str, Any],
    contexts: int = 4,
    questions: int = 2,
    skill: float = 0.7,
    yardsticks: Mapping[str, Any] | None = None,
    answer: str | None = None,
    drift: int = 0,
) -> dict[str, Any]:
    """Store a finished cell and return its result; `answer` stands in place of chance answers, in questions too."""
    rng = random.Random(f"{what}")
    records = list(_records(str(what["task"]), contexts, questions, skill, rng, answer, drift))
    folder = cell_folder.open_cell(root, what)
    (folder / "records.jsonl").write_text("".join(f"{json.dumps(r)}\n" for r in records), encoding="utf-8")
    summary, costs, counts = summarise_cell(task_of(what), records)
    return cell_folder.finish(
        folder,
        {
            "schema": cell_folder.SCHEMA, "id": cell_id(what), "status": "done", "reason": None, "recipe": dict(what),
            "summary": summary, "yardsticks": yardsticks or {}, "costs": costs, "counts": counts,
            "versions": {"membench": "0.1.0", "machine": "a machine", "torch": "2.9"},
            "started": "2026-01-01T00:00:00+00:00", "finished": "2026-01-01T00:01:00+00:00",
        },
        digest(folder),
    )  # fmt: skip


def _records(
    task: str, contexts: int, questions: int, skill: float, rng: random.Random, answer: str | None, drift: int
) -> Iterator[dict[str, Any]]:
    if task in ("sequential", "batch"):
        for k in range(contexts):
            yield _write("all", 2 * k, [k], rng)
            if task == "sequential" or k == contexts - 1:
                yield from _ask("all", 2 * k + 1, k + 1, contexts, questions, skill, rng, answer)
            if drift and (k + 1) % drift == 0:
                texts = [[40, 3.0, 3.0 + 0.01 * k, 0.02 * k], [40, 3.2, 3.1, 0.01]]
                yield {
                    "type": "drift", "episode": "all", "step": 1000 + k, "texts": texts, "seconds": 1.0,
                    "items": {"common": [[1, int(rng.random() > 0.1)] for _ in range(20)]}, "tokens": {},
                }  # fmt: skip
        return
    for k in range(contexts):
        yield _write(f"c{k}", 0, [k], rng)
        yield from _ask(f"c{k}", 1, 1, contexts, questions, skill, rng, answer, only=k)


def _write(episode: str, step: int, contexts: list[int], rng: random.Random) -> dict[str, Any]:
    size = rng.randint(10**3, 10**5)
    return {
        "type": "write", "episode": episode, "step": step, "contexts": [f"c{k}" for k in contexts], "memory": "m" * 16,
        "seconds": rng.uniform(0.1, 30), "tokens": {"reader": {"read": 90}}, "state_bytes": size, "growth_bytes": size,
    }  # fmt: skip


def _ask(
    episode: str, step: int, written: int, contexts: int, questions: int, skill: float, rng: random.Random,
    answer: str | None, only: int | None = None,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    asked = range(contexts) if only is None else [only]
    for k in asked:
        for n in range(questions):
            position = 1 if only is not None else k + 1
            age = written - position
            right = float(age >= 0 and rng.random() < skill * 0.93**age)
            yield {
                "type": "answer", "episode": episode, "step": step, "written": written, "position": position,
                "question": f"c{k}-q{n}", "context": f"c{k}", "tags": {"rehearsed": "no" if n % 2 else "yes"},
                "text": answer or f"What is fact {n} of context {k}?", "gold": [answer or WORDS[(k + n) % len(WORDS)]],
                "answer": answer or (WORDS[(k + n) % len(WORDS)] if right else rng.choice(WORDS)),
                "scores": {"contains": right, "f1": right, "margin": rng.gauss(right, 1)},
            }  # fmt: skip
    count = len(asked) * questions
    tokens = {"reader": {"read": 80 * count, "generated": 4 * count}}
    yield {
        "type": "ask", "episode": episode, "step": step, "questions": count, "tokens": tokens,
        "seconds": rng.uniform(0.1, 0.6) * count,
    }  # fmt: skip
