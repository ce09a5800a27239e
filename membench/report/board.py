"""A table of the leaderboard as the page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from membench.formats.markdown import Grid
from membench.tables.leaderboard import Table
from membench.tables.ranking_metric import leading_metric
from membench.tables.render import grids, notes


@dataclass(frozen=True)
class Board:
    """What the page shows of one table; `metric` ranks it, `name` is unique on the page."""

    table: Table
    name: str
    metric: str
    grids: dict[str, Grid]
    notes: Sequence[str]


def board(table: Table, number: int, sort: str | None) -> Board:
    """The table with its sections as text."""
    standing = grids(table)
    return Board(table, f"t{number}", leading_metric(table.entries, sort), standing, notes(table, standing))


def labels_of(boards: Sequence[Board]) -> dict[str, str]:
    """The label of each cell in these tables, by its id; floor and reference stand in several, with the first one."""
    labels: dict[str, str] = {}
    for entry in (entry for board in boards for entry in board.table.entries):
        for i in entry.ids:
            labels.setdefault(i, entry.label)
    return labels
