"""Trained methods, each at settings of its own under several seeds, beside each other in every task."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
from experiment_seeds import CONTEXTS, all_by_seed
from experiment_settings import BEST, RULED, TASKS, Settings, settings_of, told
from experiment_stored import DATA, MODEL, markdown, stored

from membench.analysis.compare import Comparison, compare
from membench.statistics.intervals import Interval
from membench.statistics.paired_tests import ALPHA
from membench.statistics.ratios import recovered_ci
from membench.statistics.shares import share_ci
from membench.statistics.uneven import rectangular
from membench.store.cell_folder import Cell
from membench.store.recipe import GOLD
from membench.tables.entry import Entry
from membench.tables.leaderboard import Table, tables
from membench.values import Answer

TEXT = "bm25"  # a memory of text, which needs no seeds
AGES = (0, 1, 2, 3, 5, 10)
END = 1000  # in place of an age: after the last write, for the first half of the texts
RETAINED = (*("just written" if not age else f"{age} more" for age in AGES), "first half, in the end", "kept of them")
SCORES = ("contains", "contains/rehearsed", "contains/unrehearsed", "f1", "margin")


class Right(NamedTuple):
    """Answers about a text: right at an age, right just after writing, and asked each time."""

    now: float
    fresh: float
    asked: int


Aged = dict[str, Right]  # by text


def chosen(task: str, folders: Sequence[Path], rows: Mapping[str, Settings] = BEST) -> Iterator[Cell]:
    """The cells of the comparison in one task, with floor and reference; or of these rows, by method."""
    for cell in stored(*folders):
        r = cell.recipe
        own = {k: v for k, v in r["settings"].items() if v != r["defaults"].get(k)}
        asked = (r["data"], r["model"], r["limit"]) == (DATA, MODEL, CONTEXTS) and cell.status == "done"
        mine = r["task"] == task and r["task_settings"] == TASKS[task] and r["method"] in (*BEST, TEXT)
        if asked and (r["task"] == GOLD or (mine and own == settings_of(task, r["method"], rows.get(r["method"], {})))):
            yield cell


def table_of(task: str, folders: Sequence[Path], rows: Mapping[str, Settings] = BEST) -> Table | None:
    """What the leaderboard makes of these cells; None where none is stored."""
    found = tables(chosen(task, folders, rows), task=task)
    return found[0] if found else None


def comparison_table(folders: Sequence[Path]) -> str:
    """A line a method and task: scores with intervals over texts and seeds, the group, and what would be resolved."""
    head = ["contains", "rehearsed", "not rehearsed", "F1", "margin", "group", "resolved in 80 %"]
    lines = [["task", "method", "seeds", *head]]
    for task in TASKS:
        table = table_of(task, folders)
        for entry in table.entries if table else ():
            scores = [shown(entry.interval(name)) for name in SCORES]
            lines.append([task, entry.method, _seeds(entry), *scores, *_stands(entry)])
    return markdown(lines)


def pairs_table(folders: Sequence[Path]) -> str:
    """A line a pair of trained methods: of each task the difference, and the one that its cells would resolve."""
    lines = [["difference", *(name for task in TASKS for name in (task, "resolved in 80 %"))]]
    cells = {task: list(chosen(task, folders)) for task in TASKS}
    for pair in combinations(BEST, 2):
        found = [compare(cells[task], *pair, task=task)[0] for task in TASKS]
        lines.append([" − ".join(pair), *(text for one in found for text in _pair(one))])
    return markdown(lines)


def _pair(found: Comparison) -> tuple[str, str]:
    """The difference with its interval, bold where it is resolved, and what would be."""
    told = f"{found.difference:+.2f} ({found.low:+.2f} to {found.high:+.2f})"
    bold = found.p is not None and found.p <= ALPHA
    return f"**{told}**" if bold else told, "–" if found.mde is None else f"{found.mde:.2f}"


def ruled_table(folders: Sequence[Path]) -> str:
    """A line a task and method, all at the rows that the grid's rule selects: the score and the group."""
    lines = [["task", "method", "settings", "seeds", "contains", "group", "resolved in 80 %"]]
    for task in TASKS:
        table = table_of(task, folders, RULED)
        for entry in table.entries if table else ():
            if entry.standing is not None:
                own, score = told(RULED.get(entry.method, {})), shown(entry.interval("contains"))
                lines.append([task, entry.method, own, _seeds(entry), score, *_stands(entry)])
    return markdown(lines)


def _seeds(entry: Entry) -> str:
    return ", ".join(map(str, sorted(entry.seeds)))


def _stands(entry: Entry) -> tuple[str, str]:
    """Its group, and the difference that would be resolved."""
    standing = entry.standing
    mde = "–" if standing is None or standing.mde is None else f"{standing.mde:.2f}"
    return (standing and standing.group) or "–", mde


def shown(found: Interval | None) -> str:
    """A number and its ends."""
    if found is None:
        return "–"
    return f"{found.value:.2f}" if found.low is None else f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"


def retention_table(folders: Sequence[Path]) -> str:
    """Right answers about rehearsed facts by the number of further writes, over texts and seeds, and what is kept."""
    lines = [["method", "seeds", *RETAINED]]
    lines += [[method, str(len(seeds)), *retained(seeds)] for method, seeds in sequences(folders).items()]
    return markdown(lines)


def retained(seeds: Sequence[dict[int, Aged]]) -> list[str]:
    """A cell of each column of `RETAINED`."""
    return [shown(found) for found in (*(share(seeds, age) for age in (*AGES, END)), kept(seeds))]


def sequences(folders: Sequence[Path]) -> dict[str, list[dict[int, Aged]]]:
    """By method and seed the right answers of a sequence by age, of texts that have rehearsed facts asked."""
    found = {method: all_by_seed(method, folders, "sequential") for method in (*BEST, TEXT)}
    return {method: [ages(answers) for answers in seeds.values()] for method, seeds in found.items() if seeds}


def ages(answers: Sequence[Answer]) -> dict[int, Aged]:
    """By the number of further writes, and in the end for the first half: what is answered right.

    Of facts that are rehearsed; of all, where the data does not say which are.
    """
    said: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for a in answers:
        if 0 < a.position <= a.written and a.tags.get("rehearsed", "yes") == "yes":
            said[a.context][a.written - a.position].append(a.scores["contains"])
    last = max(a.written for a in answers)
    out: dict[int, Aged] = defaultdict(dict)
    for context, by_age in said.items():
        found = {age: Right(sum(those), sum(by_age[0]), len(those)) for age, those in by_age.items()}
        for age, right in found.items():
            out[age][context] = right
        if last - max(by_age) <= last // 2:  # its place in the order
            out[END][context] = found[max(by_age)]
    return out


def share(seeds: Sequence[dict[int, Aged]], age: int) -> Interval | None:
    """Of the questions about texts that reach an age, those that are answered right then; a text counts once a seed."""
    found = [{context: right.now / right.asked for context, right in by_age[age].items()} for by_age in seeds]
    return share_ci(rectangular(found)) if len({context for values in found for context in values}) > 1 else None


def kept(seeds: Sequence[dict[int, Aged]]) -> Interval | None:
    """Right answers in the end over those about the same texts just after writing, over texts and seeds.

    A text that is not in a seed's first half adds nothing to its sums. None without enough right answers.
    """
    every = sorted({context for by_age in seeds for context in by_age[END]})
    rows = [[by_age[END].get(context, Right(0, 0, 0)) for context in every] for by_age in seeds]
    above, below = ([[right[k] for right in row] for row in rows] for k in (0, 1))
    found = recovered_ci(above, below)
    return found and found._replace(low=None if found.low is None else max(0.0, found.low))  # no sum is below 0


def draw(folders: Sequence[Path], path: Path) -> None:
    """Right answers about rehearsed facts by the number of further writes, with 95 % intervals."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.6), dpi=110, layout="constrained")
    ax = figure.subplots()
    for shift, (method, seeds) in enumerate(sequences(folders).items()):
        found = [(age, share(seeds, age)) for age in range(AGES[-1] + 1)]
        points = [(age + 0.1 * (shift - 2), *interval) for age, interval in found if interval]
        at, values, low, high = np.array(points, dtype=float).T
        ends = (values - low, high - values)
        ax.errorbar(at, values, ends, marker="ovs^D"[shift], markersize=4, linewidth=1, capsize=2, label=method)
    ax.set(xlabel="further writes", ylabel="rehearsed facts answered right", ylim=(-0.02, 1))
    ax.legend(fontsize=8, frameon=False, ncols=5, loc="upper center")
    figure.savefig(path, metadata={"Software": None})
