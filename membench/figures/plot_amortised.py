"""What a context costs with all the questions that are asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from membench.figures.plot_style import Plot, add_legend, axes_over_legend, folded, line_style, number, styled
from membench.statistics.break_even import amortised
from membench.tables.entry import Entry

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WRITE, READ = "write_seconds_per_context", "read_seconds_per_question"
DECADES = 5  # questions a context that the figure reaches to, as a power of ten


def amortised_plot(entries: Sequence[Entry]) -> Plot | None:
    """C(N) = W + N·q of each method over N; None where none has both costs."""
    lines = [(e, w, q) for e in entries if (w := e.cost(WRITE)) is not None and (q := e.cost(READ))]
    if not lines:
        return None
    labels = [folded(entry.label) for entry, _, _ in lines]
    figure, ax = axes_over_legend(labels)
    places = [10 ** (k / 4) for k in range(4 * DECADES + 1)]
    with styled():
        for k, (_, write, read) in enumerate(lines):
            costs = [amortised(write, read, n) for n in places]
            ax.plot(places, costs, label=labels[k], markevery=(k % 4, 4), **line_style(k))
        ax.set_xscale("log")
        ax.set_yscale("log")
        _plain_decades(ax)
        ax.set_xlabel("questions asked of a context")
        ax.set_ylabel("seconds a context")
        ax.grid()
        ax.set_axisbelow(True)
        add_legend(figure)
    decades = [10**k for k in range(DECADES + 1)]
    grid = [["method", *(f"{n:,} questions" for n in decades)]]
    grid += [[entry.label, *(number(amortised(w, q, n)) for n in decades)] for entry, w, q in lines]
    caption = (
        "What a context costs with all questions that are asked of it: the seconds to write it and, for each question, "
        "those to read. Level lines are paid at the write, rising ones at each question; two that cross break even."
    )
    return Plot("amortised", "seconds a context against questions asked", caption, grid, figure)


def _plain_decades(ax: Axes) -> None:
    """Ticks at powers of ten alone, as plain numbers: in a page letters stay text and are not set as formulas."""
    from matplotlib.ticker import NullLocator, StrMethodFormatter

    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
