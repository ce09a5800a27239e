"""What a method costs against how well it answers, with the Pareto front of each cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from membench.budget import FRONTS, with_fronts
from membench.columns import size
from membench.entry import Entry
from membench.report.drawing import Plot, add_legend, axes_over_legend, folded, line_style, number, styled
from membench.report.theme import light

AXES: Mapping[str, str] = {
    "b": "bytes of memory a context",
    "w": "seconds to write a context",
    "r": "seconds a question",
}
WIDE = 20  # a range of costs over more than this factor has a logarithmic axis


def cost_plots(entries: Sequence[Entry], shown: Sequence[Entry], metric: str) -> list[Plot]:
    """A figure for each cost of `membench.budget.FRONTS` that two entries or more have.

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
            ax.plot([x], [i.value], label=labels[k], fillstyle=fill, markersize=7, **style)
            grid.append([entry.label, *map(number, (x, i.value, i.low, i.high)), "yes" if on else "no"])
        costs = [c for _, c, _ in points if c > 0]
        if costs and max(costs) > WIDE * min(costs):
            ax.set_xscale("symlog", linthresh=min(costs), linscale=1)
            ax.xaxis.set_major_formatter(lambda value, _: size(value) if letter == "b" else f"{value:g}")
            ax.xaxis.get_major_locator().set_params(numticks=7)
            ax.set_xlim(left=0 if len(costs) < len(points) else min(costs) / 1.5, right=max(costs) * 2)
        ax.set_xlabel(AXES[letter])
        ax.set_ylabel(name)
        ax.grid()
        ax.set_axisbelow(True)
        add_legend(figure)
    caption = (
        "Filled marks on the line: nothing else is as good and cheaper, or better and as cheap; hollow ones are "
        "dominated. Floor and reference do not compete. Upright lines are 95 % intervals."
    )
    return Plot(f"cost-{letter}", f"{name} against {AXES[letter]}", caption, grid, figure)
