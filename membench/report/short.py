"""The short table of the page: a line a method, as `membench leaderboard` prints it, with bars for shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from membench.overview.lines import Line, Overview
from membench.overview.short_text import below, cells
from membench.report.board import Board


@dataclass(frozen=True)
class ShortCell:
    """A number as text; `share` is the length of its bar, 0 to 1, None for what is no share. `harm`: less is better."""

    text: str
    share: float | None
    harm: bool


@dataclass(frozen=True)
class ShortLine:
    """A method; `places` are those of its entry in each board, by the board's name."""

    name: str
    label: str
    mark: str
    cells: Sequence[ShortCell]
    places: Mapping[str, int]


@dataclass(frozen=True)
class Short:
    """Heads with their help, lines, and what stands below them."""

    heads: Sequence[tuple[str, str]]
    lines: Sequence[ShortLine]
    notes: Sequence[str]


def short_of(overview: Overview, boards: Sequence[Board]) -> Short:
    """Of an overview; `boards` are its tables, in its order."""
    head, rows = cells(overview, "title")
    heads = [(head[0], ""), *((measure.head, measure.help) for measure in overview.measures)]
    lines = [_line(line, row, overview, boards) for line, row in zip(overview.lines, rows, strict=True)]
    notes = [part for note in below(overview, rows) for part in note.split("   ")]
    return Short(heads, lines, [note.replace("--settings", "All columns and settings") for note in notes])


def _line(line: Line, row: Sequence[str], overview: Overview, boards: Sequence[Board]) -> ShortLine:
    entry = line.first
    found = [
        ShortCell(text, None if measure.cost else _share(text), measure.head == "damage")
        for measure, text in zip(overview.measures, row[1:], strict=True)
    ]
    places = {
        boards[k].name: next(n for n, e in enumerate(boards[k].table.entries) if e is own)
        for k, own in line.entries.items()
    }
    return ShortLine(row[0], entry.title or entry.method, entry.mark or "", found, places)


def _share(text: str) -> float | None:
    """The number that a cell begins with, if it can be a share."""
    try:
        value = float(text.split(" ", 1)[0])
    except ValueError:
        return None
    return value if 0 <= value <= 1 else None
