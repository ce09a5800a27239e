"""What methods spend over time: the amortised cost of a context, from when on one is cheaper, and tokens by role."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from membench.formats.markdown import Grid
from membench.report.plot_style import Plot, add_legend, axes_over_legend, folded, line_style, number, styled
from membench.report.shown_records import Shown
from membench.statistics.break_even import Span, amortised, break_even, spans
from membench.store.cell_folder import Cell
from membench.store.costs import KINDS, token_lines
from membench.tables.entry import Entry
from membench.tables.formatting import NOTHING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WRITE, READ = "write_seconds_per_context", "read_seconds_per_question"
DECADES = 5  # questions a context that the figure reaches to, as a power of ten
ONCE, NEVER = "0", NOTHING


@dataclass(frozen=True)
class Spending:
    """Two tables of a board: `break_even`, a method a row and a column, and `tokens`, a role of a cell a row."""

    break_even: Grid
    tokens: Grid


def spending_of(entries: Sequence[Entry], cells: Iterable[Cell], shown: Shown) -> Spending:
    """Of these entries; a grid with nothing to show is its head alone."""
    return Spending(_matrix(entries, shown), _tokens(entries, {cell.id: cell for cell in cells}))


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


def _matrix(entries: Sequence[Entry], shown: Shown) -> Grid:
    """From how many questions a context on the row costs less than the column."""
    costly = [e for e in entries if e.cost(WRITE) is not None and e.cost(READ) is not None]
    rated = [(e, [span for i in e.ids for span in spans(shown.records.get(i, ()))]) for e in costly]
    found = {(k, k): NOTHING for k in range(len(rated))}
    for (k, (a, ours)), (n, (b, theirs)) in itertools.combinations(enumerate(rated), 2):
        found[k, n], found[n, k] = _both(a, b, ours, theirs)
    head = ["method", *(entry.label for entry, _ in rated)]
    return [head, *([e.label, *(found[k, n] for n in range(len(rated)))] for k, (e, _) in enumerate(rated))]


def _both(a: Entry, b: Entry, ours: Sequence[Span], theirs: Sequence[Span]) -> tuple[str, str]:
    """When A is cheaper than B, and when B is cheaper than A."""
    if a.beside != b.beside:
        return "not comparable", "not comparable"
    write, read = (float(a.cost(name) or 0) - float(b.cost(name) or 0) for name in (WRITE, READ))
    if write * read >= 0:
        dearer = write + read
        return (NEVER, NEVER) if not dearer else (NEVER, ONCE) if dearer > 0 else (ONCE, NEVER)
    even = break_even(ours, theirs).questions
    late, early = ("unresolved", "unresolved") if even is None else (f"{even.value:.3g}", f"0 to {even.value:.3g}")
    return (late, early) if read < 0 else (early, late)


def _tokens(entries: Sequence[Entry], by_id: Mapping[str, Cell]) -> Grid:
    """Read, generated and trained by each role, a context written and a question read."""
    grid = [["method", "tokens", "role", *KINDS]]
    for entry in entries:
        for seed, i in zip(entry.seeds, entry.ids, strict=False):
            label = f"{entry.label} seed {seed}" if len(entry.ids) > 1 else entry.label
            ledger = by_id[i].result.get("ledger") if i in by_id else None
            grid += [[label, *line] for line in token_lines(ledger or {})]
    return grid
