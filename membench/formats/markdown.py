"""Tables and lines as markdown."""

from __future__ import annotations

import re

Grid = list[list[str]]  # the head, then a line an entry


def markdown_grid(grid: Grid) -> str:
    """A grid as a markdown table, numbers to the right."""
    head, *lines = [[escaped(cell) for cell in line] for line in grid]
    marks = [":--", *("--:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, marks, *lines))


def escaped(text: str) -> str:
    """A text on one line in which markdown finds no marks."""
    return re.sub(r"([\\`*_|<>\[\]])", r"\\\1", " ".join(text.split()))
