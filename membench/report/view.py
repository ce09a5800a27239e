"""All that the page shows of one data source with one model: its tables, the answer, the short table, the figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from membench.figures.files import Settings
from membench.overview.lines import Overview, of_same, overviews
from membench.report.board import Board
from membench.report.brief import brief
from membench.report.figure_data import scores_of, time_of
from membench.report.short import Short, short_of
from membench.views import DETAIL, RISK


@dataclass(frozen=True)
class View:
    """`lead` is the table that the answer is from; `figures` are numbers for the page's script."""

    title: str
    boards: Sequence[Board]
    lead: Board
    answer: Sequence[str]
    short: Short
    figures: Mapping[str, Any]

    @property
    def risky(self) -> bool:
        """Whether any harm was measured."""
        return any(name in board.grids for board in self.boards for name in (RISK, DETAIL))


def views_of(boards: Sequence[Board], settings: Settings, sort: str | None) -> list[View]:
    """A view for each data source with each model, the one with most methods first."""
    return [_view(one, boards, settings) for one in overviews([board.table for board in boards], sort=sort)]


def _view(overview: Overview, boards: Sequence[Board], settings: Settings) -> View:
    chosen = [next(b for b in boards if b.table is table) for table in overview.tables]
    others = [b for b in boards if b not in chosen and of_same(b.table, overview.tables[0])]
    lead, short = chosen[overview.lead], short_of(overview, chosen)
    main = {id(entry) for line in overview.lines for entry in line.entries.values()}
    own = [lead, *(b for b in (*chosen, *others) if b is not lead)]
    figures = {
        "title": overview.title, "lead": lead.name, "scores": [scores_of(b, main) for b in own],
        "time": [found for b in own if (found := time_of(b, settings))],
    }  # fmt: skip
    after = next((b for b in chosen if b.table.recipe["task"] == "sequential"), None)
    return View(overview.title, own, lead, brief(lead, after), short, figures)
