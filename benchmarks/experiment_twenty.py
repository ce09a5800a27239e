"""What recipes and remedies keep over twenty texts in sequence, where each text has four questions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from experiment_comparison import AGES, END, ages, kept, share, shown
from experiment_decay import END as LAST
from experiment_decay import GEMMA, Gains, differences, gains_of
from experiment_stored import DATA, MODEL, markdown, stored

from membench.statistics.ratios import ratio_ci
from membench.store.cell_folder import Cell, records_of
from membench.store.records import answer_of
from membench.values import Answer

CONTEXTS, QUESTIONS = 20, 4
RECIPES: dict[str, tuple[str, str, dict[str, Any]]] = {  # model, method, settings
    "default": (MODEL, "selfparam", {}),
    "epochs=6 upper=1.0": (MODEL, "selfparam", {"epochs": 6, "upper": 1.0}),
    "lr=0.001 epochs=24": (MODEL, "selfparam", {"lr": 0.001, "epochs": 24}),
    "hold=1.0": (MODEL, "selfparam", {"hold": 1.0}),
    "orthogonal=true": (MODEL, "selfparam", {"orthogonal": True}),
    "replay=1.0": (MODEL, "selfparam", {"replay": 1.0}),
    "lora-bank": (MODEL, "lora-bank", {}),
    GEMMA: (GEMMA, "selfparam", {}),
    f"{GEMMA}, lr=0.001 epochs=24": (GEMMA, "selfparam", {"lr": 0.001, "epochs": 24}),
}
LATER = (1, 5, 10, LAST)  # further writes


def recipe_of(cell: Cell) -> str | None:
    """The recipe whose sequence a cell is; None for all others."""
    r = cell.recipe
    own = {k: v for k, v in r["settings"].items() if v != r["defaults"].get(k)}
    asked = (r["task"], r["data"], r["limit"], r["seed"], r["task_settings"])
    if asked != ("sequential", DATA, CONTEXTS, 0, {"questions": QUESTIONS}) or cell.status != "done":
        return None
    return next((name for name, recipe in RECIPES.items() if recipe == (r["model"], r["method"], own)), None)


def played(folder: Path) -> Iterator[tuple[str, list[Answer], float]]:
    """The recipes that are stored, in their order: name, answers, and trained tokens a write."""
    found = {name: cell for cell in stored(folder) if (name := recipe_of(cell))}
    for name in RECIPES:
        if name in found:
            records = records_of(found[name])
            tokens = [r["tokens"]["reader"]["trained"] for r in records if r["type"] == "write"]
            yield name, [answer_of(r) for r in records if r["type"] == "answer"], float(np.mean(tokens))


def twenty_table(folder: Path) -> str:
    """A line a recipe: rehearsed facts right just written and later, what is left of the gain, trained tokens.

    Below it the differences of what is left to the first recipe on the same model, paired by text: bold where resolved
    (Holm by column).
    """
    later = ["in the end" if age == LAST else f"after {age} more" for age in LATER]
    head = ["right just written", *(f"{age} more" for age in AGES[1:]), "first half, in the end", "kept of them"]
    lines = [["recipe", *head, "trained tokens"]]
    left = [["recipe", *(f"gain left {words}" for words in later)]]
    every: dict[str, Gains] = {}
    for name, answers, tokens in played(folder):
        by_age = [ages(answers)]
        every[name] = gains_of(answers)
        lines.append([name, *(shown(share(by_age, a)) for a in (*AGES, END)), shown(kept(by_age)), f"{tokens:.0f}"])
        left.append([name, *(_left(every[name], age) for age in LATER)])
    same = {name: gains for name, gains in every.items() if RECIPES[name][0] == MODEL}
    return f"{len(lines) - 1} of {len(RECIPES)} recipes are stored.\n\n{markdown(lines)}\n\n" + markdown(
        [*left, *differences(same, LATER)]
    )


def _left(found: Gains, age: int) -> str:
    left, own = found[age]
    return shown(ratio_ci(left.tolist(), own.tolist()))
