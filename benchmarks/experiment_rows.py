"""Rows of settings other than those of the comparison: how much does another choice change?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from experiment_comparison import RETAINED, ages, retained, shown
from experiment_seeds import all_by_seed, by_seed
from experiment_settings import BEST, RULED, TASKS, Settings, told
from experiment_stored import markdown

from membench.statistics.intervals import two_way_ci
from membench.statistics.shares import share_ci
from membench.values import Answer

LED: list[tuple[str, Settings, str]] = [  # to the recipes that the designs lead to
    ("selfparam", {"epochs": 6, "upper": 1.0}, "the second design"),
    ("selfparam", {"lr": 0.001, "epochs": 24}, "the screening"),
]
VIEWS = (("contains", "yes"), ("contains", "no"), ("margin", None))  # score, whether rehearsed


def others() -> list[tuple[str, Settings, str]]:
    """Rows to hold against the one of the comparison: method, settings that are not its defaults, why."""
    ruled = [(method, own, "the grid's rule") for method, own in RULED.items()]
    defaults: list[tuple[str, Settings, str]] = [(method, {}, "its defaults") for method in BEST]
    rows = [row for row in (*ruled, *defaults) if row[1] != BEST[row[0]]]
    return [*rows, *LED]


def rows_table(folders: Sequence[Path]) -> str:
    """Just after writing, then what is left in sequence."""
    return f"{levels_table(folders)}\n\n{left_table(folders)}"


def levels_table(folders: Sequence[Path]) -> str:
    """A line a task and row: scores, and their differences to the row of the comparison.

    Over texts and the seeds that both have.
    """
    names = ["rehearsed", "not rehearsed", "margin"]
    lines = [
        ["task", "method", "settings", "from", "seeds", *names, *(f"{name}, less the comparison's" for name in names)]
    ]
    for task in TASKS:
        for method, settings, source in others():
            answers, played = by_seed(method, folders, task, settings), by_seed(method, folders, task)
            if seeds := sorted(answers.keys() & played.keys()):
                own, base = ([[by_text(found[s], *v) for s in seeds] for v in VIEWS] for found in (answers, played))
                numbers = [_level(score, texts) for (score, _), texts in zip(VIEWS, own, strict=True)]
                apart = [_difference(texts, before) for texts, before in zip(own, base, strict=True)]
                lines.append([task, method, told(settings), source, ", ".join(map(str, seeds)), *numbers, *apart])
    return markdown(lines)


def left_table(folders: Sequence[Path]) -> str:
    """A line a row that was played in sequence with several seeds: right answers about rehearsed facts by age."""
    lines = [["method", "settings", "seeds", *RETAINED]]
    for method, settings, _ in others():
        found = [ages(answers) for answers in all_by_seed(method, folders, "sequential", settings).values()]
        if len(found) > 1:
            lines.append([method, told(settings), str(len(found)), *retained(found)])
    return markdown(lines)


def by_text(answers: Sequence[Answer], score: str, rehearsed: str | None) -> dict[str, float]:
    """The mean of each text that has such questions."""
    found = defaultdict(list)
    for a in answers:
        if rehearsed in (None, a.tags["rehearsed"]):
            found[a.context].append(a.scores[score])
    return {text: sum(values) / len(values) for text, values in found.items()}


def _level(score: str, seeds: Sequence[dict[str, float]]) -> str:
    matrix = [[texts[text] for text in seeds[0]] for texts in seeds]
    return shown(two_way_ci(matrix) if score == "margin" else share_ci(matrix))


def _difference(seeds: Sequence[dict[str, float]], before: Sequence[dict[str, float]]) -> str:
    found = two_way_ci([[own[text] - base[text] for text in seeds[0]] for own, base in zip(seeds, before, strict=True)])
    return "{:+.2f} ({:+.2f} to {:+.2f})".format(*(round(v, 2) + 0.0 for v in found if v is not None))  # no -0.00
