"""Tables as text: rich for a terminal, markdown, csv, json, latex (needs the booktabs package)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from membench.errors import unknown
from membench.formats import FORMATS
from membench.formats.grid import grid_text
from membench.formats.latex import latex_table
from membench.formats.markdown import Grid, escaped, markdown_grid
from membench.formats.row_text import ROW_FORMS, row_text
from membench.formats.styled import styled
from membench.statistics.intervals import FEWEST
from membench.tables.columns import sections
from membench.tables.entry import Entry
from membench.tables.formatting import FEW, FEWEST_QUESTIONS, NARROW, whole_name
from membench.tables.leaderboard import Table, table_rows
from membench.text.visible import visible


def render(tables: Sequence[Table], form: str, width: int = 160) -> str:
    """The tables in one of FORMATS; `width` counts for rich alone. Raises MembenchError for an unknown format."""
    if form not in FORMATS:
        raise unknown("format", form, FORMATS)
    return _PLAIN[form](tables) if form in _PLAIN else _rich(tables, width)


def grids(table: Table) -> dict[str, Grid]:
    """The sections of a table as plain text cells: memory, over time (if the task is), answers and cost."""
    out = {}
    for section, columns in sections(table.entries).items():
        lines = [
            [_status(entry.label, entry), *(visible(column.show(entry)) for column in columns)]
            for entry in table.entries
        ]
        out[section] = [["method", *(column.head for column in columns)], *lines]
    return out


def notes(table: Table, shown: Mapping[str, Grid]) -> list[str]:
    """What no column says: how differences were judged, what intervals lack, and why entries have no numbers.

    `shown` is what stands above: the table's grids, or some of them.
    """
    return [*_remarks(table, shown), *_reasons(table)]


def _remarks(table: Table, shown: Mapping[str, Grid]) -> list[str]:
    cells = [text for grid in shown.values() for line in grid for text in line]
    return [*map(visible, table.remarks), *footnotes(cells)]


def _reasons(table: Table) -> list[str]:
    failed = (entry for entry in table.entries if entry.reason and entry.status != "done")
    return [visible(f"{entry.label}: {entry.status}: {entry.reason}") for entry in failed]


def _status(name: str, entry: Entry) -> str:
    return name if entry.status == "done" else f"{name} ({entry.status})"


def _markdown(tables: Sequence[Table]) -> str:
    blocks = []
    for table in tables:
        blocks.append(f"**{escaped(table.title)}**")
        shown = grids(table)
        blocks += [f"{name}\n\n{markdown_grid(grid)}" for name, grid in shown.items()]
        blocks += [escaped(note) for note in notes(table, shown)]
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _latex(tables: Sequence[Table]) -> str:
    blocks = []
    for table in tables:
        shown = grids(table)
        marked = sum(entry.mark is not None for entry in table.entries)
        for name, (head, *lines) in shown.items():
            title = f"{table.title} · {name}"
            blocks.append(latex_table(title, head, lines, (marked,), notes(table, shown)))
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _rich(tables: Sequence[Table], width: int) -> str:
    """Every column: what does not fit stands in another part below, long names have their settings below them."""
    from rich.text import Text

    console, out = styled(width)
    for table in tables:
        console.print(Text(table.title, style="bold"))
        shown = grids(table)
        names = [_status(whole_name(entry, max(NARROW, width // 3)), entry) for entry in table.entries]
        styles = ["dim" if e.mark else "red" if e.status != "done" else "" for e in table.entries]
        for section, (head, *lines) in shown.items():
            console.print(Text(section, style="italic"))
            rows = [[name, *cells] for name, (_, *cells) in zip(names, lines, strict=True)]
            out.write(f"{grid_text(head, rows, styles, width)}\n")
        for remark in _remarks(table, shown):
            console.print(Text(remark, style="dim"))
        for reason in _reasons(table):
            console.print(Text(reason, style="red"))
    return out.getvalue()


def _every_row(form: str, tables: Sequence[Table]) -> str:
    return row_text([row for table in tables for row in table_rows(table)], form)


_PLAIN: Mapping[str, Callable[[Sequence[Table]], str]] = {
    "md": _markdown,
    "latex": _latex,
    **{form: partial(_every_row, form) for form in ROW_FORMS},
}


def footnotes(shown: Sequence[str]) -> list[str]:
    """What the numbers that are shown need said below the table, once."""
    few = any(FEW in text for text in shown)
    said = f"{FEW} fewer than {FEWEST} contexts, too few for an interval, or than {FEWEST_QUESTIONS} questions"
    return [said] if few else []
