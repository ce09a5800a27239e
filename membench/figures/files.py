"""All figures of the tables that stored cells make, and their files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from membench.figures.plot_amortised import amortised_plot
from membench.figures.plot_costs import cost_plots
from membench.figures.plot_curves import drift_plots, heat_plot, retention_plot
from membench.figures.plot_intervals import interval_plot
from membench.figures.plot_style import SHOWN, Plot, file_bytes
from membench.io.atomic_files import make_folder, refuse_link, replace_file
from membench.store.cell_folder import Cell
from membench.tables.entry import Entry
from membench.tables.leaderboard import Table, tables
from membench.tables.ranking_metric import leading_metric

Settings = Mapping[str, Mapping[str, Any]]  # all those of a cell, by its id


def write_figures(cells: Sequence[Cell], folder: Path, form: str, **filters: Any) -> list[Path]:
    """Write each figure as FOLDER/TABLE-TASK-NUMBER-KIND.FORM, form pdf, svg or png; returns the paths.

    `filters` are those of `tables`. Raises MembenchError if the folder cannot be made or written to.
    """
    refuse_link(folder, "--output")
    written = []
    settings = settings_of(cells)
    for place, table in enumerate(tables(cells, **filters), 1):
        for number, plot in enumerate(plots_of(table, settings, filters.get("sort")), 1):
            path = folder / f"t{place}-{table.recipe['task']}-{number}-{plot.kind}.{form}"
            make_folder(folder)
            replace_file(path, file_bytes(plot, form))
            written.append(path)
    return written


def plots_of(table: Table, settings: Settings, sort: str | None = None) -> list[Plot]:
    """All figures of a table that have something to show, of floor, reference and the best SHOWN others."""
    shown, entries = shown_of(table.entries), table.entries
    metric = leading_metric(entries, sort)
    plots = (
        interval_plot(shown, metric),
        retention_plot(shown, settings),
        *cost_plots(entries, shown, metric),
        amortised_plot(shown),
        *drift_plots(shown, table.recipe["task_settings"]),
        *map(heat_plot, shown),
    )
    return [plot for plot in plots if plot]


def settings_of(cells: Sequence[Cell]) -> dict[str, Mapping[str, Any]]:
    """All settings of each cell, by its id."""
    return {cell.id: cell.recipe["settings"] for cell in cells}


def shown_of(entries: Sequence[Entry]) -> list[Entry]:
    """Floor, reference and the best SHOWN others, as the table ranks them."""
    rivals = [e for e in entries if not e.mark and e.status == "done"]
    hidden = {id(e) for e in rivals[SHOWN:]}
    return [e for e in entries if e.status == "done" and id(e) not in hidden]
