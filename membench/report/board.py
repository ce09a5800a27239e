"""A table of the leaderboard with the figures that belong to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from membench.formats.markdown import Grid
from membench.report.plot_costs import cost_plots
from membench.report.plot_curves import drift_plots, heat_plot, retention_plot
from membench.report.plot_intervals import interval_plot
from membench.report.plot_spending import amortised_plot
from membench.report.plot_style import SHOWN, Plot
from membench.tables.entry import Entry
from membench.tables.leaderboard import Table
from membench.tables.ranking_metric import leading_metric
from membench.tables.render import grids, notes


@dataclass(frozen=True)
class Board:
    """What the page shows of one table; its figures show the entries `shown`, and `left_out` counts the others."""

    table: Table
    name: str  # unique on the page
    grids: dict[str, Grid]
    notes: Sequence[str]
    plots: Sequence[Plot]
    shown: Sequence[Entry]
    left_out: int


def board(table: Table, number: int, sort: str | None, settings: Mapping[str, Mapping[str, Any]]) -> Board:
    """The table with all of its figures that have something to show; `settings` are those of cells, by their ids."""
    shown, left_out = _shown(table.entries)
    metric = leading_metric(table.entries, sort)
    plots = (
        interval_plot(shown, metric),
        retention_plot(shown, settings),
        *cost_plots(table.entries, shown, metric),
        amortised_plot(shown),
        *drift_plots(shown, table.recipe["task_settings"]),
        *map(heat_plot, shown),
    )
    standing = grids(table)
    return Board(table, f"t{number}", standing, notes(table, standing), [p for p in plots if p], shown, left_out)


def labels_of(boards: Sequence[Board]) -> dict[str, str]:
    """The label of each cell in these tables, by its id; floor and reference stand in several, with the first one."""
    labels: dict[str, str] = {}
    for entry in (entry for board in boards for entry in board.table.entries):
        for i in entry.ids:
            labels.setdefault(i, entry.label)
    return labels


def _shown(entries: Sequence[Entry]) -> tuple[list[Entry], int]:
    """Floor, reference and the best others, as the table ranks them."""
    rivals = [e for e in entries if not e.mark and e.status == "done"]
    hidden = {id(e) for e in rivals[SHOWN:]}
    return [e for e in entries if e.status == "done" and id(e) not in hidden], len(hidden)
