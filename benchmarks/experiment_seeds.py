"""Trained methods, each at settings of its own, under several seeds: what a seed changes, and what differs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from experiment_settings import BEST, TASKS, Settings, settings_of
from experiment_stored import COMPARISONS, CORE_HOURS, DATA, METHODS, MODEL, found_in_80, markdown, seconds_of, stored
from numpy.typing import NDArray

from membench.statistics.variance_parts import allocate, parts
from membench.store import cell_folder
from membench.store.records import answer_of
from membench.values import Answer

CONTEXTS = 20


def seeds_table(folders: Sequence[Path]) -> str:
    """Each method's share of right answers by seed; then each difference over the seeds that both have."""
    found = {method: by_seed(method, folders) for method in BEST}
    lines = [["method", "seeds", "contains, by seed", "sd", "rehearsed, by seed", "sd", "margin, by seed", "sd"]]
    for method, seeds in found.items():
        if seeds:
            cells = [_spread([mean_of(a, *of) for a in seeds.values()]) for of in VIEWS]
            lines.append([method, ", ".join(map(str, seeds)), *(cell for pair in cells for cell in pair)])
    apart = [["difference", "seeds", "mean", "sd of seeds", "of contexts", "of both", "of questions", "of the rest",
              "standard error", "found in 80 %", f"best in {CORE_HOURS} core hours", "standard error",
              "found in 80 %"]]  # fmt: skip
    seconds, costs = CORE_HOURS * 3600 / METHODS, seconds_of(folders[0])
    for first, second in combinations(BEST, 2):
        if len(shared := sorted(found[first].keys() & found[second].keys())) > 1:
            values = differences(found[first], found[second], shared)
            seen = parts(values)
            asked = int(np.mean([v.shape[1] for v in values]))
            sds = [v**0.5 for v in (seen.seed or 0, seen.context, seen.seed_context or 0, seen.question, seen.rest)]
            mean = float(np.concatenate([v.mean(0) for v in values]).mean())
            played, best = (len(values), asked, len(shared)), allocate(seen, seconds, *costs, asked)
            sizes = (best.contexts, best.questions, best.seeds) if best else played
            now, then = (
                [f"{seen.error(*those):.3f}", f"{found_in_80(seen, those, COMPARISONS):.3f}"]
                for those in (played, sizes)
            )
            apart.append([f"{first} − {second}", str(len(shared)), f"{mean:+.3f}", *(f"{sd:.3f}" for sd in sds),
                          *now, " × ".join(map(str, sizes)), *then])  # fmt: skip
    return markdown(lines) + ("" if len(apart) == 1 else f"\n\n{markdown(apart)}")


VIEWS = (("contains", None), ("contains", "yes"), ("margin", None))


def by_seed(
    method: str, folders: Iterable[Path], task: str = "single", own: Settings | None = None
) -> dict[int, list[Answer]]:
    """A method's answers about texts just written, by seed; see `all_by_seed`."""
    return {seed: fresh(answers, task) for seed, answers in all_by_seed(method, folders, task, own).items()}


def all_by_seed(
    method: str,
    folders: Iterable[Path],
    task: str,
    own: Settings | None = None,
    data: str = DATA,
    contexts: int = CONTEXTS,
) -> dict[int, list[Answer]]:
    """A method's answers by the seed of the cell; with these settings, by default those of the comparison."""
    out = {}
    wanted = (task, TASKS[task], method, settings_of(task, method, own), data, MODEL, contexts)
    for cell in (cell for folder in folders for cell in stored(folder)):
        r = cell.recipe
        found = {k: v for k, v in r["settings"].items() if v != r["defaults"].get(k)}
        asked = (r["task"], r["task_settings"], r["method"], found, r["data"], r["model"], r["limit"])
        if cell.status == "done" and asked == wanted:
            out[r["seed"]] = [
                answer_of(record) for record in cell_folder.records_of(cell) if record["type"] == "answer"
            ]
    return dict(sorted(out.items()))


def fresh(answers: Iterable[Answer], task: str) -> list[Answer]:
    """Those about texts that were just written: in sequence the last one."""
    return [a for a in answers if a.seen and (task != "sequential" or a.position == a.written)]


def differences(
    first: dict[int, list[Answer]], second: dict[int, list[Answer]], seeds: Sequence[int]
) -> list[NDArray[np.float64]]:
    """Of each context the differences by question of right answers, [seeds, questions]."""
    of: dict[str, list[list[float]]] = defaultdict(list)
    for seed in seeds:
        other = {a.question: a.scores["contains"] for a in second[seed]}
        rows: dict[str, list[float]] = defaultdict(list)
        for a in sorted(first[seed], key=lambda a: a.question):
            rows[a.context].append(a.scores["contains"] - other[a.question])
        for context, row in rows.items():
            of[context].append(row)
    return [np.array(rows) for rows in of.values()]


def mean_of(answers: Iterable[Answer], score: str, rehearsed: str | None) -> float:
    """Over questions; about rehearsed facts ("yes"), about others ("no"), or about all."""
    return float(np.mean([a.scores[score] for a in answers if rehearsed in (None, a.tags["rehearsed"])]))


def _spread(means: Sequence[float]) -> tuple[str, str]:
    return ", ".join(f"{mean:.2f}" for mean in means), f"{np.std(means, ddof=1):.3f}" if len(means) > 1 else "–"
