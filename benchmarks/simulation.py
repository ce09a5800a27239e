"""How often the tables claim a difference: where there is none (at most 5 % are wanted), and where there is one.

    python benchmarks/simulation.py [DRAWS [SEED]]

Each draw makes stored cells, and the table itself says what is resolved. Answers are right with a probability whose
logit is the sum of a context's effect (sd 1), a question's (sd 1), a method's own on that context (sd 0.7) and, where
methods are trained, a seed's and a seed's on that context (sd `noise` each); 10 questions a context, the same for all
methods. Two designs are harder: a method that is right or wrong a whole context at a time against one that is right
as often at every question (`whole`), and two trained methods of unequal noise (`quiet`, of the second). Prints the
table that `make statistics` writes into docs/statistics.md, with 1500 draws and seed 2027.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from membench.formats.markdown import markdown_grid
from membench.store.cell_folder import Cell
from membench.tables.leaderboard import tables

QUESTIONS = 10
SHIFT = 0.88  # on the logit scale: 15 points of true difference, checked below


@dataclass(frozen=True)
class Design:
    """Methods that are compared; `shift` is the first one's advantage. Trained methods have `seeds` seeds."""

    contexts: int
    seeds: int = 1
    noise: float = 0.0
    methods: int = 2
    trained: int = 2  # the others are played once and have no noise
    shift: float = 0.0
    whole: float = 0.0  # how often the first is right at a question, the second in a context; nothing else counts then
    behind: float = 0.0  # of `whole`: how much less often the second is right
    each: bool = False  # of `whole`: the second, too, question by question
    quiet: float | None = None  # the last method's noise


def scores(design: Design, draws: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Share of right answers: [draws, methods, seeds, contexts]."""
    d, shape = design, (draws, design.methods, design.seeds, design.contexts, QUESTIONS)

    if d.whole:
        drawn = rng.random(shape)
        if not d.each:
            drawn[:, 1:] = drawn[:, 1:, :, :, :1]
        rates = np.array([d.whole, d.whole - d.behind])[:, None, None, None]
        hits: NDArray[np.bool_] = drawn < rates
        return hits.mean(-1)

    def effect(sd: float, *kept: int) -> NDArray[np.float64]:
        return rng.normal(0, 1, [n if k in kept else 1 for k, n in enumerate(shape)]) * sd

    trained = (np.arange(d.methods) >= d.methods - d.trained)[:, None, None, None]
    logit = effect(1.0, 0, 3) + effect(1.0, 0, 3, 4) + effect(0.7, 0, 1, 3)
    noise = np.full(d.methods, d.noise)
    noise[-1] = d.noise if d.quiet is None else d.quiet
    loud = trained * noise[:, None, None, None]
    logit = logit + loud * (effect(1.0, 0, 1, 2) + effect(1.0, 0, 1, 2, 3))
    logit[:, 0] += d.shift
    right: NDArray[np.bool_] = rng.random(shape) < 1 / (1 + np.exp(-logit))
    return right.mean(-1)


def cells(design: Design, drawn: NDArray[np.float64]) -> Iterator[Cell]:
    """The stored cells of one draw [methods, seeds, contexts]."""
    for method, by_seed in enumerate(drawn):
        trained = design.noise > 0 and method >= design.methods - design.trained
        for seed, values in enumerate(by_seed if trained else by_seed[:1]):
            recipe = {
                "task": "single", "task_settings": {}, "data": "d", "data_hash": "", "limit": 0, "model": "m",
                "weights_hash": "", "dtype": "", "style": "", "prompt_hash": "", "metric_version": 1,
                "method": f"method-{method}", "method_version": 1, "settings": {}, "seed": seed,
            }  # fmt: skip
            contexts = {f"c{k}": float(value) for k, value in enumerate(values)}
            result = {
                "id": f"{method}-{seed}", "status": "done", "recipe": recipe, "yardsticks": {},
                "summary": {"contains/all": {"value": float(values.mean()), "contexts": contexts}},
                "costs": {"tokens_trained_per_context": float(trained)},
                "counts": {"contexts": len(contexts), "questions": 1, "answered": 1},
            }  # fmt: skip
            yield Cell(Path(), result)


def claims(design: Design, draws: int, seed: int = 0) -> float:
    """The share of draws whose table resolves any two methods: that do not share a letter."""
    rng = np.random.default_rng(
        [seed, design.contexts, design.seeds, int(10 * design.noise), design.methods, int(100 * design.whole)]
    )
    found = 0
    for drawn in scores(design, draws, rng):
        (table,) = tables(cells(design, drawn))
        found += len({entry.standing.group for entry in table.entries if entry.standing}) > 1
    return found / draws


def table(draws: int = 1500, seed: int = 2027) -> str:
    """The table of docs/statistics.md as markdown; each line is told on standard error as soon as it is there."""
    kinds = {
        "two methods without randomness": Design(0),
        "two trained methods, 1 seed, noise 0.4": Design(0, noise=0.4),
        "two trained methods, 3 seeds, noise 0.2": Design(0, seeds=3, noise=0.2),
        "two trained methods, 3 seeds, noise 0.4": Design(0, seeds=3, noise=0.4),
        "one trained (3 seeds, noise 0.4), one not": Design(0, seeds=3, noise=0.4, trained=1),
        "six trained methods, 3 seeds, noise 0.4": Design(0, seeds=3, noise=0.4, methods=6, trained=6),
        "two trained methods, 3 seeds, noise 1.0 and 0.1": Design(0, seeds=3, noise=1.0, quiet=0.1),
        "0.9 everywhere, and 0.9 a whole context at a time": Design(0, whole=0.9),
        "0.95 everywhere, and 0.95 a whole context at a time": Design(0, whole=0.95),
    }
    sizes = (5, 8, 10, 20, 50)
    grid = [["claims in % of draws without a difference", *(f"{size} contexts" for size in sizes), "15 points, 50"]]
    for name, kind in kinds.items():
        row = [f"{100 * claims(Design(**vars(kind) | {'contexts': size}), draws, seed):.1f}" for size in sizes]
        strong = Design(**vars(kind) | {"contexts": 50, "shift": SHIFT})
        if kind.whole:
            strong = Design(50, whole=kind.whole, behind=0.15)
        grid.append([name, *row, f"{100 * claims(strong, draws, seed):.1f}"])
        print(name, *grid[-1][1:], file=sys.stderr)
    big = scores(Design(2000, shift=SHIFT), 50, np.random.default_rng(1)).mean((0, 2, 3))
    print(f"\ntrue difference: {100 * (big[0] - big[1]):.1f} points", file=sys.stderr)
    return f"{markdown_grid(grid)}\n\n{near_the_ends(draws, seed)}"


def near_the_ends(draws: int = 1500, seed: int = 2027) -> str:
    """How often a difference is found where one method is nearly always right, or never, as markdown."""
    kinds = {
        "0.95 and 0.80": Design(0, whole=0.95, behind=0.15, each=True),
        "0.90 and 0.75": Design(0, whole=0.9, behind=0.15, each=True),
        "0.57 and 0.42": Design(0, whole=0.57, behind=0.15, each=True),
        "0.15 and 0.00": Design(0, whole=0.15, behind=0.15, each=True),
    }
    sizes = (20, 30, 50)
    grid = [["found in % of draws, right at each question alike", *(f"{size} contexts" for size in sizes)]]
    for name, kind in kinds.items():
        row = [f"{100 * claims(Design(**vars(kind) | {'contexts': size}), draws, seed):.1f}" for size in sizes]
        grid.append([name, *row])
        print(name, *row, file=sys.stderr)
    return markdown_grid(grid)


if __name__ == "__main__":
    print(table(*map(int, sys.argv[1:])))
