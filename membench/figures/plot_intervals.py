"""The leading metric of a table with its intervals, a line an entry."""

from __future__ import annotations

from collections.abc import Sequence

from membench.figures.plot_style import WIDTH, Plot, axes, folded, light, number, styled
from membench.tables.entry import Entry
from membench.tables.formatting import NOTHING


def interval_plot(entries: Sequence[Entry], metric: str) -> Plot | None:
    """Scores with intervals against floor and reference; None where fewer than two entries have the metric."""
    found = [(e, i) for e in entries if (i := e.interval(metric)) is not None]
    if len(found) < 2:
        return None
    labels = [folded(entry.label) for entry, _ in found]
    rows = [12 + 13 * len(label.split("\n")) for label in labels]
    width = max(len(line) for label in labels for line in label.split("\n"))
    figure, ax = axes(WIDTH, 60 + sum(rows), left=20 + 7.2 * width, bottom=44)
    name = metric.removesuffix("/all")
    grid = [["method", name, "low", "high", "placebo"]]
    with styled():
        for row, (entry, i) in enumerate(found):
            colour = light("soft" if entry.mark else "accent")
            low, high = (i.value if end is None else end for end in (i.low, i.high))
            ax.plot([low, high], [row, row], color=colour, linewidth=2)
            ax.plot([i.value], [row], "D" if entry.mark else "o", color=colour, markersize=5.5)
            if entry.mark:
                ax.axvline(i.value, color=colour, linewidth=0.8, linestyle=(0, (2, 3)))
            placebo = entry.value(f"{metric.partition('/')[0]}/placebo")
            if placebo is not None:
                ax.plot([placebo], [row], "o", color=light("soft"), markersize=5.5, fillstyle="none")
            grid.append([entry.label, *map(number, (i.value, i.low, i.high, placebo))])
        ax.set_yticks(range(len(found)), labels)
        ax.tick_params(axis="y", length=0, labelcolor=light("ink"))
        ax.set_ylim(len(found) - 0.4, -0.6)
        ax.spines["left"].set_visible(False)
        ax.grid(axis="x")
        ax.set_axisbelow(True)
        ax.set_xlabel(name)
    shown = [entry for entry, _ in found]
    hollow = "; a hollow circle is the placebo" if any(line[4] != NOTHING for line in grid[1:]) else ""
    caption = f"{name}: dot, value; line, 95 % interval{hollow}.{_marked(shown)}{_tested(shown)}"
    return Plot("intervals", f"{name} with intervals", caption, grid, figure)


def _marked(entries: Sequence[Entry]) -> str:
    labels = [entry.label for entry in entries if entry.mark]
    return f" Diamonds and dotted lines are no competitors: {', '.join(labels)}." if labels else ""


def _tested(entries: Sequence[Entry]) -> str:
    """Where the table tells which differences are resolved; nothing where it compares none."""
    standings = [entry.standing for entry in entries if entry.standing]
    if not standings:
        return ""
    column = "difference" if standings[0].group is None else "group"
    return f" Overlap of two intervals is no test: see the column {column}."
