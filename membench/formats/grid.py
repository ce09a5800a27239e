"""A grid of text cells on a terminal: the one style of all of membench's tables."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

GAP = 2  # blank cells between two columns


def rich_grid(
    head: Sequence[str], rows: Sequence[Sequence[str]], styles: Sequence[str] = (), texts: bool = False
) -> Table:
    """The grid for rich: a rule below the head, the first column to the left, all others to the right.

    Cells and heads may have several lines. `styles` has rich's style of each row, "" for none. With `texts` all columns
    stand to the left, and what is too long for the terminal is folded; else nothing is.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0))
    for k, text in enumerate(head):
        table.add_column(
            Text(text), justify="right" if k and not texts else "left", no_wrap=not texts, overflow="fold",
        )  # fmt: skip
    for k, row in enumerate(rows):
        style = styles[k] if styles else ""
        table.add_row(*(Text(cell, style=style) for cell in row))
    return table


def in_parts(head: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[list[int]]:
    """The columns beside the first in groups that fit into so many cells of a terminal together with it."""
    parts: list[list[int]] = []
    for column in range(1, len(head)):
        part = [*(parts[-1] if parts else []), column]
        if parts and grid_width(*_only(head, rows, part)) <= width:
            parts[-1] = part
        else:
            parts.append([column])
    return parts


def grid_text(head: Sequence[str], rows: Sequence[Sequence[str]], styles: Sequence[str], width: int) -> str:
    """The grid as it is printed in so many cells, in as many parts as that takes, each with the first column."""
    from rich.console import Console

    out = io.StringIO()
    parts = in_parts(head, rows, width) or [[]]
    needed = max(grid_width(*_only(head, rows, part)) for part in parts)
    console = Console(file=out, width=max(width, needed), force_terminal=True, highlight=False)
    for k, part in enumerate(parts):
        if k:
            console.print()
        console.print(rich_grid(*_only(head, rows, part), styles))
    return out.getvalue()


def grid_width(head: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Cells of a terminal that the grid takes."""
    from rich.cells import cell_len

    columns = zip(head, *rows, strict=True)
    widths = [max(cell_len(line) for cell in column for line in cell.split("\n")) for column in columns]
    return sum(widths) + GAP * (len(head) - 1)


def _only(head: Sequence[str], rows: Sequence[Sequence[str]], part: Sequence[int]) -> tuple[list[str], list[list[str]]]:
    """The first column and these."""
    return [head[k] for k in (0, *part)], [[row[k] for k in (0, *part)] for row in rows]
