"""Figures of numbers along a sequence: what is kept of a context with its age, and how far the model has drifted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from membench.figures.plot_style import (
    HEAT,
    Plot,
    add_legend,
    axes,
    axes_over_legend,
    folded,
    light,
    line_style,
    number,
    styled,
)
from membench.tables.entry import Entry
from membench.tables.formatting import NOTHING

RETENTION = "retention:contains"


DRIFTS: Mapping[str, tuple[str, str]] = {  # metric -> what it is, and its value without drift
    "drift_ppl/all": ("perplexity with the memory / without", "1"),
    "drift_kl/all": ("KL to the model without memory, nats per token", "0"),
    "flips/all": ("test items right without the memory, wrong with it", "0"),
}


@dataclass(frozen=True)
class Line:
    """Points of one entry, and what theory expects at the same places."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    theory: Sequence[float] = ()
    formula: str = ""

    @property
    def theory_label(self) -> str:
        """What its theory line is called."""
        return f"{self.label}: {self.formula}"

    def drawn(self) -> list[tuple[str, Sequence[float]]]:
        """Each line to draw, with its label."""
        return [(self.label, self.y), *([(self.theory_label, self.theory)] if self.theory else [])]


def retention_plot(entries: Sequence[Entry], settings: Mapping[str, Mapping[str, Any]]) -> Plot | None:
    """ρ(k) by age k, with theory lines; None where no entry has any. `settings` are all those of a cell, by its id."""
    lines = []
    for entry in entries:
        curve = entry.curve(RETENTION)
        if curve:
            ages = range(len(curve))
            keeps, formula = theory_of(entry, settings)
            theory = [keeps**age for age in ages] if keeps is not None else []
            lines.append(Line(entry.label, ages, curve, theory, formula))
    dotted = "Dotted lines are theory: what a full pool keeps when each write replaces K of its N vectors at random. "
    caption = (
        "Score of a context after later writes, over its score just after its own: 1 is nothing lost, and what a store "
        f"that drops nothing holds. {dotted if any(line.theory for line in lines) else ''}Old ages have few contexts."
    )
    return _plot("retention", "retention by age", "writes since its own", "ρ", lines, caption, 1.0)


def theory_of(entry: Entry, settings: Mapping[str, Mapping[str, Any]]) -> tuple[float | None, str]:
    """The share that a write is expected to keep of what was there (MemoryLLM, section 3.3), and its formula."""
    own = settings.get(entry.ids[0], {}) if entry.ids else {}
    if entry.method != "memoryllm":
        return None, ""
    return 1 - own["new"] / own["size"], f"(1 − {own['new']}/{own['size']})^k"


def drift_plots(entries: Sequence[Entry], task_settings: Mapping[str, Any]) -> list[Plot]:
    """Each measure of drift against writes, where a sequence was measured several times."""
    plots = []
    for metric, (meaning, still) in DRIFTS.items():
        curves = [(entry, curve) for entry in entries if (curve := entry.curve(metric))]
        placed = all(_spaced(e, len(c), task_settings) for e, c in curves)
        lines = [
            Line(e.label, placed_at(e, len(c), task_settings) if placed else range(1, len(c) + 1), c) for e, c in curves
        ]
        caption = f"{meaning[0].upper()}{meaning[1:]}; {still} is no drift."
        name = metric.removesuffix("/all")
        x = "contexts written" if placed else "measurement"
        plots.append(_plot(name, f"{name} along the sequence", x, name, lines, caption, float(still)))
    return [plot for plot in plots if plot]


def placed_at(entry: Entry, count: int, task_settings: Mapping[str, Any]) -> list[int]:
    """After how many writes each of `count` measurements was made; where that is not known, their numbers."""
    every = task_settings.get("drift") or 0
    if not _spaced(entry, count, task_settings):
        return list(range(1, count + 1))
    return [min((k + 1) * every, entry.contexts or 0) for k in range(count)]


def _spaced(entry: Entry, count: int, task_settings: Mapping[str, Any]) -> bool:
    """Whether measured after every so many writes and after the last one; what is not so is only counted."""
    every = task_settings.get("drift") or 0
    return bool(every) and count == math.ceil((entry.contexts or 0) / every)


def _plot(
    kind: str, title: str, x_label: str, y_label: str, lines: Sequence[Line], caption: str, level: float
) -> Plot | None:
    """Lines with a legend below; `level` is the value of what loses or changes nothing."""
    if not lines:
        return None
    from matplotlib.ticker import MaxNLocator

    labels = [folded(label) for line in lines for label, _ in line.drawn()]
    figure, ax = axes_over_legend(labels)
    with styled():
        ax.axhline(level, color=light("rule"), linewidth=0.8)
        for k, line in enumerate(lines):
            style = line_style(k)
            ax.plot(line.x, line.y, label=folded(line.label), **style)
            if line.theory:
                dots = {"color": style["color"], "linestyle": ":", "linewidth": 1.2}
                ax.plot(line.x, line.theory, label=folded(line.theory_label), **dots)
        ax.set_xlabel(x_label)
        ax.set_ylabel(y_label)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.grid(axis="y")
        ax.set_axisbelow(True)
        add_legend(figure)
    return Plot(kind, title, caption, _grid(x_label, lines), figure)


def _grid(x_label: str, lines: Sequence[Line]) -> list[list[str]]:
    """A row a line, theory lines included; a column a place."""
    places = sorted({x for line in lines for x in line.x})
    rows = [["method", *(f"{place:g}" for place in places)]]
    rows[0][1] = f"{x_label} {rows[0][1]}"
    for line in lines:
        for label, values in line.drawn():
            known = dict(zip(line.x, values, strict=True))
            rows.append([label, *(number(known[x]) if x in known else NOTHING for x in places)])
    return rows


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
