"""What methods spend over time: from when on one is cheaper than another, and tokens by role."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from membench.formats.markdown import Grid
from membench.report.shown_records import Shown
from membench.statistics.break_even import Span, break_even, spans
from membench.store.cell_folder import Cell
from membench.store.costs import KINDS, token_lines
from membench.tables.entry import Entry
from membench.tables.formatting import NOTHING

WRITE, READ = "write_seconds_per_context", "read_seconds_per_question"
ONCE, NEVER = "0", NOTHING


@dataclass(frozen=True)
class Spending:
    """Two tables of a board: `break_even`, a method a row and a column, and `tokens`, a role of a cell a row."""

    break_even: Grid
    tokens: Grid


def spending_of(entries: Sequence[Entry], cells: Iterable[Cell], shown: Shown) -> Spending:
    """Of these entries; a grid with nothing to show is its head alone."""
    return Spending(_matrix(entries, shown), _tokens(entries, {cell.id: cell for cell in cells}))


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
