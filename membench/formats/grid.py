"""A grid of text cells on a terminal: the one style of all of membench's tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from membench.formats.styled import styled

if TYPE_CHECKING:
    from rich.table import Table

GAP = 2  # blank cells between two columns


def rich_grid(
    head: Sequence[str], rows: Sequence[Sequence[str]], styles: Sequence[str] = (), widths: Sequence[int] = ()
) -> Table:
    """The grid for rich: a rule below the head, the first column to the left, all others to the right.

    Cells and heads may have several lines. `styles` has rich's style of each row, "" for none. With `widths` all
    columns stand to the left and are so wide, and what is longer is folded; else nothing is.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0))
    for k, text in enumerate(head):
        table.add_column(
            Text(text), justify="right" if k and not widths else "left", no_wrap=not widths, overflow="fold",
            width=widths[k] if widths else None,
        )  # fmt: skip
    for k, row in enumerate(rows):
        style = styles[k] if styles else ""
        table.add_row(*(Text(cell, style=style) for cell in row))
    return table


def text_grid(head: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> str:
    """A grid of texts as it is printed in so many cells: long texts are folded between words, names are not.

    Where not even the names fit side by side, the columns stand in parts below each other, each with the first one.
    """
    from rich.cells import cell_len

    columns = list(zip(head, *rows, strict=True))
    whole = [max(map(cell_len, column)) for column in columns]
    longest = max(8, (width - 2 * GAP) // 3)  # of a word that is not folded
    words = [[word for text in column for word in text.split()] for column in columns]
    least = [min(longest, max(map(cell_len, those), default=0)) for those in words]
    parts = [[0]]
    for k in range(1, len(columns)):
        taken = sum(least[j] + GAP for j in parts[-1]) + least[k]
        parts[-1:] = [[*parts[-1], k]] if taken <= width or len(parts[-1]) == 1 else [parts[-1], [0, k]]
    console, out = styled(width)
    for number, part in enumerate(parts):
        if number:
            console.print()
        widths = _fitted([whole[k] for k in part], [least[k] for k in part], width)
        console.print(rich_grid(*_only(head, rows, part[1:]), widths=widths))
    return out.getvalue()


def _fitted(wanted: Sequence[int], least: Sequence[int], width: int) -> list[int]:
    """Widths of columns that fit together: the widest ones give way first, none below its least width."""
    widths = list(wanted)
    for _ in range(sum(widths) + GAP * (len(widths) - 1) - width):
        wide = [k for k, one in enumerate(widths) if one > least[k]]
        if not wide:
            break
        widths[max(wide, key=lambda k: widths[k])] -= 1
    return widths


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
    parts = in_parts(head, rows, width) or [[]]
    needed = max(grid_width(*_only(head, rows, part)) for part in parts)
    console, out = styled(max(width, needed))
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
