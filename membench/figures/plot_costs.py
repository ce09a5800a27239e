"""What a method costs against how well it answers, with the Pareto front of each cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from membench.figures.plot_style import Plot, add_legend, axes_over_legend, folded, light, line_style, number, styled
from membench.tables.entry import Entry
from membench.tables.formatting import size
from membench.tables.pareto import FRONTS, with_fronts
from membench.tables.ranking_metric import less_is_better

if TYPE_CHECKING:
    from matplotlib.axes import Axes

AXES: Mapping[str, str] = {
    "b": "bytes of memory a context",
    "w": "seconds to write a context",
    "r": "seconds a question",
}
WIDE = 20  # a range of costs over more than this factor has a logarithmic axis


def cost_plots(entries: Sequence[Entry], shown: Sequence[Entry], metric: str) -> list[Plot]:
    """A figure for each cost of `membench.tables.pareto.FRONTS` that two entries or more have.

    The fronts are those of all `entries`; what is on one is drawn even where it is not among `shown`.
    """
    pairs = zip(entries, with_fronts(entries, metric), strict=True)
    placed = [placed for entry, placed in pairs if placed.front or any(entry is other for other in shown)]
    plots = (_cost_plot(placed, metric, letter, cost) for letter, cost in FRONTS.items())
    return [plot for plot in plots if plot]


def _cost_plot(entries: Sequence[Entry], metric: str, letter: str, cost: str) -> Plot | None:
    points = [(e, c, i) for e in entries if (i := e.interval(metric)) and (c := e.cost(cost)) is not None]
    if sum(not e.mark for e, _, _ in points) < 2:
        return None
    name = metric.removesuffix("/all")
    labels = [folded(e.label) for e, _, _ in points]
    figure, ax = axes_over_legend(labels)
    grid = [["method", AXES[letter], name, "low", "high", "on the front"]]
    with styled():
        front = sorted((c, i.value) for e, c, i in points if letter in e.front)
        ax.step(*zip(*front, strict=True), where="post", color=light("accent"), linewidth=1, zorder=1)
        for k, (entry, x, i) in enumerate(points):
            low, high = (i.value if end is None else end for end in (i.low, i.high))
            style = line_style(k) | {"linestyle": "none"}
            on = letter in entry.front
            ax.plot([x, x], [low, high], color=style["color"], linewidth=1, alpha=0.6)
            fill = "full" if on else "none"
            ax.plot([x], [i.value], label=labels[k], fillstyle=fill, markersize=7, clip_on=False, **style)
            grid.append([entry.label, *map(number, (x, i.value, i.low, i.high)), "yes" if on else "no"])
        _scale(ax, [c for _, c, _ in points], letter)
        ax.set_xlabel(AXES[letter])
        ax.set_ylabel(f"{name}, lower is better" if less_is_better(metric, entries) else name)
        ax.grid()
        ax.set_axisbelow(True)
        add_legend(figure)
    caption = (
        "Filled marks on the line: nothing else is as good and cheaper, or better and as cheap; hollow ones are "
        "dominated. Floor and reference do not compete. Upright lines are 95 % intervals."
    )
    return Plot(f"cost-{letter}", f"{name} against {AXES[letter]}", caption, grid, figure)


def _scale(ax: Axes, costs: Sequence[float], letter: str) -> None:
    """A logarithmic axis for a wide range of costs; what costs nothing stands at its left end."""
    least = min((c for c in costs if c > 0), default=1.0)
    if max(costs) <= WIDE * least:
        return
    free = min(costs) == 0
    ax.set_xscale("symlog", linthresh=least, linscale=1)
    ax.set_xlim(0 if free else least / 1.5, max(costs) * 2)
    first = math.ceil(math.log10(least * (2.5 if free else 0.7)))
    decades = range(first, math.floor(math.log10(max(costs) * 2)) + 1)
    ticks = [*([0.0] if free else []), *(10.0**k for k in decades[:: -(-len(decades) // 6)])]
    ax.set_xticks(ticks, [size(tick) if letter == "b" else f"{tick:g}" for tick in ticks])
    ax.set_xticks([], minor=True)
