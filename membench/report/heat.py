"""R[t, i] as a picture: the score of context i after write t."""

from __future__ import annotations

import math

from membench.entry import Entry
from membench.report.drawing import Plot, axes, number, styled
from membench.report.theme import HEAT, light

MATRIX = "matrix:contains"
WRITTEN_IN = 8  # up to this many contexts, each field has room for its number


def heat_plot(entry: Entry) -> Plot | None:
    """The matrix of one entry, the mean over seeds; None where it has none."""
    curve = entry.curve(MATRIX)
    size = math.isqrt(len(curve or ()))
    if not curve or size * size != len(curve):
        return None
    from matplotlib.colors import to_rgb

    rows = [curve[t * size : (t + 1) * size] for t in range(size)]
    colour = to_rgb(HEAT)
    figure, ax = axes(260, 250, left=40, bottom=40)
    with styled():
        # Transparent to opaque, so that 0 is the page's own background, whichever theme it has.
        ax.imshow([[(*colour, min(max(v, 0.0), 1.0)) for v in row] for row in rows], interpolation="none")
        steps = [k - 0.5 for k in range(size + 1)]
        ax.step(steps, steps, where="post", color=light("soft"), linewidth=0.9)
        if size <= WRITTEN_IN:
            for t, row in enumerate(rows):
                for i, value in enumerate(row):
                    ax.text(i, t, f"{value:.1f}", ha="center", va="center", fontsize=7.5)
        ticks = range(0, size, max(1, math.ceil(size / 6)))
        ax.set_xticks(ticks, [str(k + 1) for k in ticks])
        ax.set_yticks(ticks, [str(k + 1) for k in ticks])
        ax.tick_params(length=2)
        ax.set_xlabel("context i")
        ax.set_ylabel("after write t")
    head = ["after write", *(f"context {i + 1}" for i in range(size))]
    grid = [head, *([str(t + 1), *map(number, row)] for t, row in enumerate(rows))]
    caption = "Share of right answers, from empty (0) to full colour (1); below the line: written by then."
    return Plot("matrix", f"R[t, i]: {entry.label}", caption, grid, figure, small=True)
