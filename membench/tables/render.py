"""Tables as text: rich for a terminal, markdown, csv, json, latex (needs the booktabs package)."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence

from membench.errors import unknown
from membench.statistics.intervals import FEWEST
from membench.tables.columns import sections
from membench.tables.entry import Entry
from membench.tables.formatting import FEW, FEWEST_QUESTIONS, NOTHING
from membench.tables.leaderboard import Table, table_rows
from membench.text.visible import visible
from membench.values import FORMATS

Grid = list[list[str]]  # the head, then a line an entry


_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "–": "--", "·": r"$\cdot$", "−": "$-$",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    "†": r"\dag{}",
    "--": "-{}-", "[": "{[}", "*": "{*}",  # no dash of an option, and nothing that the \\ of the line before would take
}  # fmt: skip


def render(tables: Sequence[Table], form: str, width: int = 160) -> str:
    """The tables in one of FORMATS; `width` counts for rich alone. Raises MembenchError for an unknown format."""
    if form not in FORMATS:
        raise unknown("format", form, FORMATS)
    return _PLAIN[form](tables) if form in _PLAIN else _rich(tables, width)


def grids(table: Table) -> dict[str, Grid]:
    """The sections of a table as plain text cells: memory, over time (if the task is), answers and cost."""
    out = {}
    for name, columns in sections(table.entries).items():
        lines = [[_label(entry), *(visible(column.show(entry)) for column in columns)] for entry in table.entries]
        out[name] = [["method", *(column.head for column in columns)], *lines]
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
    return [visible(f"{entry.label}: {entry.status}: {entry.reason}") for entry in table.entries if entry.reason]


def _label(entry: Entry) -> str:
    return entry.label if entry.status == "done" else f"{entry.label} ({entry.status})"


def _markdown(tables: Sequence[Table]) -> str:
    blocks = []
    for table in tables:
        blocks.append(f"**{_md(table.title)}**")
        shown = grids(table)
        blocks += [f"{name}\n\n{markdown_grid(grid)}" for name, grid in shown.items()]
        blocks += [_md(note) for note in notes(table, shown)]
    return "\n\n".join(blocks) + "\n" if blocks else ""


def markdown_grid(grid: Grid) -> str:
    """A grid as a markdown table, numbers to the right."""
    head, *lines = [[_md(cell) for cell in line] for line in grid]
    marks = [":--", *("--:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, marks, *lines))


def _md(text: str) -> str:
    return re.sub(r"([\\`*_|<>\[\]])", r"\\\1", " ".join(text.split()))


def _latex(tables: Sequence[Table]) -> str:
    blocks = []
    for table in tables:
        shown = grids(table)
        for name, (head, *lines) in shown.items():
            rows = [" & ".join(map(_tex, line)) + r" \\" for line in lines]
            parts = [
                r"\begin{table}",
                rf"\caption{{{_tex(f'{table.title} · {name}')}}}",
                rf"\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}",
                r"\toprule",
                " & ".join(map(_tex, head)) + r" \\",
                r"\midrule",
                *_ruled(rows, table),
                r"\bottomrule",
                r"\end{tabular}",
                *(r"\par " + _tex(note) for note in notes(table, shown)),
                r"\end{table}",
            ]
            blocks.append("\n".join(parts))
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _ruled(rows: list[str], table: Table) -> list[str]:
    """The lines with a rule between the yardsticks and the methods."""
    marked = sum(entry.mark is not None for entry in table.entries)
    return [*rows[:marked], r"\midrule", *rows[marked:]] if 0 < marked < len(rows) else rows


def _tex(text: str) -> str:
    text = re.sub(r"(?<![\w-])-(?=\d)", "−", " ".join(text.split()))  # a hyphen is no minus
    return "".join(_LATEX.get(part, part) for part in re.findall("--|.", text))


def _json(tables: Sequence[Table]) -> str:
    """A list with a row a line."""
    rows = [json.dumps(row, ensure_ascii=False, allow_nan=False) for table in tables for row in table_rows(table)]
    return "[" + ",\n".join(rows) + "]\n"


def _csv(tables: Sequence[Table]) -> str:
    """The rows of the JSON format; what is no plain value stands there as JSON."""
    rows = [row for table in tables for row in table_rows(table)]
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({k: json.dumps(v) if isinstance(v, (dict, list)) else v for k, v in row.items()})
    return out.getvalue()


def _rich(tables: Sequence[Table], width: int) -> str:
    from rich import box
    from rich.console import Console
    from rich.table import Table as Grid
    from rich.text import Text

    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=True)
    for table in tables:
        console.print(Text(table.title, style="bold"))
        shown = grids(table)
        for name, (head, *lines) in shown.items():
            grid = Grid(
                box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), title=name, title_justify="left", title_style="italic"
            )
            grid.add_column(head[0], overflow="fold")
            for text in head[1:]:
                grid.add_column(text, justify="right", min_width=max(map(len, text.split())))
            for entry, (label, *cells) in zip(table.entries, lines, strict=True):
                plain = "dim" if entry.mark else "red" if entry.status != "done" else ""
                grid.add_row(
                    Text(label, style=plain), *(Text(c, style="dim" if c == NOTHING else plain) for c in cells)
                )
            console.print(grid)
        for remark in _remarks(table, shown):
            console.print(Text(remark, style="dim"))
        for reason in _reasons(table):
            console.print(Text(reason, style="red"))
    return out.getvalue()


_PLAIN: Mapping[str, Callable[[Sequence[Table]], str]] = {
    "md": _markdown,
    "csv": _csv,
    "json": _json,
    "latex": _latex,
}


def footnotes(shown: Sequence[str]) -> list[str]:
    """What the numbers that are shown need said below the table, once."""
    few = any(FEW in text for text in shown)
    said = f"{FEW} fewer than {FEWEST} contexts, too few for an interval, or than {FEWEST_QUESTIONS} questions"
    return [said] if few else []
