"""Two methods side by side: paired by question, clustered by context, with what the better one costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import fmean
from typing import Any

import numpy as np

from membench.errors import MembenchError
from membench.planning.restore import task_of
from membench.statistics.break_even import BreakEven, Span, break_even, spans
from membench.statistics.paired_tests import ALPHA, contrasts
from membench.statistics.uneven import in_order, shared_keys
from membench.store.cell_folder import Cell, records_of
from membench.store.records import answer_of
from membench.tables.catalogue import COSTS, column_of
from membench.tables.entry import Entry
from membench.tables.leaderboard import Table, tables
from membench.tables.ranking_metric import is_share, leading_metric, less_is_better
from membench.tables.significance import corrected, declared_entry, rows_named, unknown_row, unpaired

RATIOS = (
    "write_seconds_per_context", "read_seconds_per_question", "tokens_trained_per_context", "tokens_read_per_question",
    "state_bytes_per_context", "write_flops_per_context", "read_flops_per_question",
)  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """A - B in one table. `wins`, `losses` and `ties` count questions, `outside` those that the metric is not about (of
    damage, what the base model has wrong anyway); a win is A's being better. `cost_ratios` are A / B where B costs
    anything.

    `p` decides: Holm's over all pairs of the table that could have been picked, and at least that of the pair alone,
    which it is if the pair was declared before the results were seen; `mde` is of the same test. `verdict` names the
    higher one, or says "not resolved", with the reason where it is not the numbers'. `p` and `mde` are None where one
    seed alone says nothing about training, `mde` also where the contexts are too few for any difference.
    """

    title: str
    a: str
    b: str
    metric: str
    score_a: float
    score_b: float
    difference: float
    low: float
    high: float
    p: float | None
    p_t: float
    p_flip: float
    mde: float | None
    contexts: int
    wins: int
    losses: int
    ties: int
    outside: int
    cost_ratios: Mapping[str, float]
    break_even: BreakEven
    verdict: str
    cells: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """As plain data."""
        known = self.break_even.questions
        even = {"questions": known and known.value, "low": known and known.low, "high": known and known.high}
        return {**asdict(self), "break_even": {**even, "why": self.break_even.why}, "cells": list(self.cells)}


def compare(
    cells: Sequence[Cell], a: str, b: str, metric: str | None = None, declared: bool = False, **filters: Any
) -> list[Comparison]:
    """Every table that has both; names are methods or the labels that tables print, `filters` those of `tables`.

    A name is that of a row that has the metric. Without `metric` each table is judged by the one that leads it:
    contains, or the one that is declared to lead.
    `declared` says that the pair was chosen before the results were seen: it is then a family of its own.
    A metric of which lower is better (fidelity_kl) is compared as it is: a positive difference is A's being higher.
    A table in which nothing pairs the two is left out. Raises MembenchError for an unknown or ambiguous name, and where
    no table is left.
    """
    if a == b:
        raise MembenchError(f"{a} is not compared with itself: name two")
    found = tables(cells, sort=metric, **filters)
    for name in (a, b):
        if not any(rows_named(table.entries, name) for table in found):
            raise unknown_row("method", name, (e for table in found for e in table.entries))
    out, left_out = [], []
    for table in found:
        full = column_of(metric) if metric else leading_metric(table.entries, None)
        having = [e for e in rows_named(table.entries, b) if e.by_context(full)]
        one = declared_entry(table.entries, a, full) if having else None
        other = declared_entry(table.entries, b, full) if one else None
        if not (one and other):
            continue
        shared = shared_keys([*one.by_context(full), *other.by_context(full)])
        if one is other:
            left_out.append(f"{a} and {b} are one row, {one.label}: name two")
        elif why := unpaired((one, other), full, shared):
            left_out.append(f"{why}: compare another metric")
        else:
            out.append(_compared(table, one, other, full, shared, cells, declared))
    if not out and left_out:
        raise MembenchError(left_out[0])
    if not out:
        raise MembenchError(f"no table has both {a} and {b} with {metric or 'one metric'} over two contexts or more")
    return out


def _compared(
    table: Table, a: Entry, b: Entry, metric: str, shared: Sequence[str], cells: Sequence[Cell], declared: bool
) -> Comparison:
    """The two by the contexts that they share."""
    samples = [np.array([in_order(scores, shared) for scores in e.by_context(metric)]) for e in (a, b)]
    found = contrasts(samples, [(0, 1)], is_share(metric, [a, b]), flips=[0])
    played = [[c for c in cells if c.id in e.ids and c.folder.is_dir()] for e in (a, b)]
    ours_asked, theirs_asked = (_by_question(those, table.recipe, metric) for those in played)
    counts = _counted(ours_asked, theirs_asked, less_is_better(metric, [a, b]))
    difference, bare = float(found.difference[0]), a.unseeded or b.unseeded
    alone = (None, None) if bare else (float(found.p[0]), float(found.mde[0]))
    p, mde = alone if declared else corrected(table.entries, metric, (a, b))
    p = p if p is None or alone[0] is None else max(p, alone[0])  # the family's contexts may be others
    mde = None if mde is None or np.isnan(mde) else mde
    return Comparison(
        table.title, a.label, b.label, metric, float(samples[0].mean()), float(samples[1].mean()),
        difference, float(found.low[0]), float(found.high[0]), p, float(found.p_t[0]), float(found.p_flip[0]),
        mde, len(shared), *counts, _ratios(a, b),
        _break_even(a, b, *played), _verdict(a, b, difference, p, metric), (*a.ids, *b.ids),
    )  # fmt: skip


def _verdict(a: Entry, b: Entry, difference: float, p: float | None, metric: str) -> str:
    bare = [e.label for e in (a, b) if e.unseeded]
    if bare:
        return f"not resolved: one seed of {' and of '.join(bare)}, whose noise nothing here covers; play --seeds 0,1,2"
    if p is None or p > ALPHA:
        return "not resolved"
    higher, lower = (a, b) if difference > 0 else (b, a)
    return f"{lower.label} is lower, so better" if less_is_better(metric, [a, b]) else f"{higher.label} is higher"


def _counted(
    ours: Mapping[str, float | None], theirs: Mapping[str, float | None], downwards: bool
) -> tuple[int, int, int, int]:
    """Questions won, lost, tied, and outside the metric for one of the two."""
    both = [(ours[q], theirs[q]) for q in ours if q in theirs]
    pairs = [(y, x) if downwards else (x, y) for x, y in both if x is not None and y is not None]
    wins, losses = sum(x > y + 1e-9 for x, y in pairs), sum(y > x + 1e-9 for x, y in pairs)
    return wins, losses, len(pairs) - wins - losses, len(both) - len(pairs)


def _by_question(cells: Iterable[Cell], recipe: Mapping[str, Any], metric: str) -> dict[str, float | None]:
    """The metric per question, the mean over seeds: the task's own summary with each question as a cluster.

    Of a ratio of sums it is each question's own ratio, None for one that adds nothing to the denominator.
    """
    task = task_of(recipe)
    found: dict[str, list[float]] = {}
    for cell in cells:
        answers = [answer_of(r) for r in records_of(cell) if r["type"] == "answer"]
        summary = task.summarise([replace(answer, context=answer.question) for answer in answers])
        if metric not in summary:
            continue
        own, sums = summary[metric].contexts, summary[metric].sums
        for question, value in own.items():
            top, bottom = sums.get(question, (value, 1.0))
            found.setdefault(question, []).extend([top / bottom] if bottom else [])
    return {question: fmean(values) if values else None for question, values in found.items()}


def _spans(cells: Iterable[Cell]) -> list[Span]:
    return [span for cell in cells for span in spans(records_of(cell))]


def _break_even(a: Entry, b: Entry, ours: Sequence[Cell], theirs: Sequence[Cell]) -> BreakEven:
    if a.beside != b.beside:
        return BreakEven(None, "the seconds of one were measured beside other cells, those of the other alone")
    return break_even(*(_spans(_timed(those, a.beside)) for those in (ours, theirs)))


def _timed(cells: Sequence[Cell], beside: bool) -> list[Cell]:
    """Those whose seconds count."""
    return [c for c in cells if bool(c.result["costs"].get("beside")) == beside]


def _ratios(a: Entry, b: Entry) -> dict[str, float]:
    """A / B; no seconds measured beside other cells stand against those measured alone."""
    names = [name for name in RATIOS if a.beside == b.beside or COSTS[name].unit != "s"]
    costs = {name: (a.cost(name), b.cost(name)) for name in names}
    return {name: x / y for name, (x, y) in costs.items() if x is not None and y}
