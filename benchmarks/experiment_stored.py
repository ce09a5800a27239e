"""What the stored cells of the reference run say of noise, without playing anything.

`parts`: what the error of a comparison is made of. `allocation`: how to spend core hours so that it becomes small.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from membench.analysis.several_folders import cells_of
from membench.statistics.paired_tests import ALPHA, POWER, Noise
from membench.statistics.variance_parts import Parts, allocate, parts
from membench.store import cell_folder
from membench.store.records import answer_of
from membench.tables.render import Grid, markdown_grid
from membench.values import Answer

DATA, MODEL = "worlds", "smollm2-135m"
PAIRS = (("selfparam", "ft-s"), ("selfparam", "ft-c"), ("in-context", "selfparam"))
SCORES = ("contains", "margin")
CORE_HOURS, METHODS = 12, 4
COMPARISONS = 10  # of a table of METHODS trained methods and one of text
SEED_NOISE = (0.01, 0.03, 0.06)  # standard deviations of a difference by its methods' seeds; docs/experiment.md


@cache
def stored(*folders: Path) -> list[cell_folder.Cell]:
    """The cells of these folders, read once; one that is in several of them is there once."""
    return cells_of(folders)


def markdown(lines: Grid) -> str:
    """A table whose bold cells stay bold."""
    return markdown_grid(lines).replace(r"\*", "*")


def answers_of(
    folder: Path, task: str, method: str, changed: Mapping[str, Any], model: str = MODEL, **task_settings: Any
) -> list[Answer]:
    """Of the one stored cell of seed 0 with these settings, all others at their defaults.

    Of yardsticks it is the one of what `single` asks.
    """
    single = {cell.recipe["data_hash"] for cell in stored(folder) if cell.recipe["task"] == "single"}
    found = []
    for cell in stored(folder):
        recipe = cell.recipe
        asked = (recipe["task"], recipe["method"], recipe["data"], recipe["model"], recipe["seed"])
        if asked != (task, method, DATA, model, 0):
            continue
        if task == "gold" and recipe["data_hash"] not in single:
            continue
        settings, defaults = recipe["settings"], recipe["defaults"]
        own = {name: value for name, value in settings.items() if value != defaults.get(name)}
        if own == changed and recipe["task_settings"] == task_settings:
            found.append(cell)
    (cell,) = found
    return [answer_of(r) for r in cell_folder.records_of(cell) if r["type"] == "answer"]


def differences(folder: Path, pair: tuple[str, str], score: str) -> list[NDArray[np.float64]]:
    """Of each context the differences of two methods in `single`, [1 seed, questions]."""
    first, second = ({a.question: a for a in _fresh(folder, method)} for method in pair)
    by_context: dict[str, list[float]] = defaultdict(list)
    for question, answer in first.items():
        by_context[answer.context].append(answer.scores[score] - second[question].scores[score])
    return [np.array([values]) for values in by_context.values()]


def _fresh(folder: Path, method: str) -> list[Answer]:
    """A method's answers about texts that it has just read; every context was written or shown alone."""
    answers = answers_of(folder, "gold" if method == "in-context" else "single", method, {})
    return [a for a in answers if a.seen]


def parts_table(folder: Path) -> str:
    """Variance components of paired differences by question, from one seed."""
    lines = [["difference", "score", "mean", "sd of contexts", "sd of questions", "standard error"]]
    for pair in PAIRS:
        for score in SCORES:
            values = differences(folder, pair, score)
            found = parts(values)
            questions = int(np.mean([v.size for v in values]))
            spread = [found.context**0.5, found.question**0.5, found.error(len(values), questions, 1)]
            mean = float(np.concatenate(values, axis=1).mean())
            lines.append([" − ".join(pair), score, f"{mean:+.2f}", *(f"{value:.2f}" for value in spread)])
    return markdown(lines)


def allocation_table(folder: Path) -> str:
    """The best use of CORE_HOURS for METHODS trained methods in `single`, by the difference and the noise of seeds.

    The first difference of PAIRS varies least by question, the second most.
    """
    seconds = CORE_HOURS * 3600 / METHODS
    write, question = seconds_of(folder)
    head = ["sd of seeds", "contexts", "questions", "seeds", "standard error", "95 % interval", "found in 80 %"]
    lines = [["difference", *head, "of ten"]]
    for pair in PAIRS[:2]:
        values = differences(folder, pair, "contains")
        known = parts(values)
        most = int(np.mean([v.size for v in values]))  # questions that a context has
        for sd in SEED_NOISE:
            made = Parts(known.context, known.question, sd**2, None, 0.0)
            if best := allocate(made, seconds, write, question, most):
                sizes = best.contexts, best.questions, best.seeds
                half, *found = distance(made, sizes, ALPHA), *(found_in_80(made, sizes, n) for n in (1, COMPARISONS))
                shown = [f"{best.error:.3f}", f"±{half:.3f}", *(f"{value:.3f}" for value in found)]
                lines.append([" − ".join(pair), f"{sd}", *map(str, sizes), *shown])
    told = f"A write takes {write:.0f} s and a question {question:.1f} s (`selfparam` in `single`, stored)."
    return f"{told}\n\n{markdown(lines)}"


Sizes = tuple[int, int, int]  # contexts, questions a context, seeds


def distance(made: Parts, sizes: Sizes, p: float) -> float:
    """How far from 0 the difference of two methods that are equally noisy by seed must be for this p, as in tables."""
    contexts, _, seeds = sizes
    by_contexts, by_seeds = replace(made, seed=0.0).error(*sizes) ** 2, (made.seed or 0.0) / seeds
    noise = Noise(*(np.array([part]) for part in (by_contexts, by_seeds, contexts - 1.0, 2 * (seeds - 1.0))))
    return float(noise.reach(np.array([p]))[0])


def found_in_80(made: Parts, sizes: Sizes, family: int) -> float:
    """The true difference that is resolved in 80 % of trials as the first of so many comparisons."""
    return distance(made, sizes, ALPHA / family) + distance(made, sizes, 2 * (1 - POWER))


def seconds_of(folder: Path) -> tuple[float, float]:
    """Medians of a write's and of a question's seconds, of `selfparam` in `single`."""
    cells = [c for c in stored(folder) if (c.recipe["task"], c.recipe["method"]) == ("single", "selfparam")]
    asked = (DATA, MODEL, 0)
    (cell,) = [
        c for c in cells if tuple(c.recipe[n] for n in ("data", "model", "seed")) == asked and _default(c.recipe)
    ]
    records = cell_folder.records_of(cell)
    writes = [r["seconds"] for r in records if r["type"] == "write"]
    asked = [r["seconds"] / r["questions"] for r in records if r["type"] == "ask"]
    return float(np.median(writes)), float(np.median(asked))


def _default(recipe: Mapping[str, Any]) -> bool:
    return all(recipe["defaults"].get(name) == value for name, value in recipe["settings"].items())
