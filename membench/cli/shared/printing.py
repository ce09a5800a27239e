"""How commands print: JSON, and tables for a terminal or a pipe."""

from __future__ import annotations

import json
import re
import shutil
import textwrap
from collections.abc import Sequence
from typing import Any

import click

from membench.cli.shared.manners import like_terminal
from membench.text.visible import visible

_COMMAND = re.compile(r"`[^`]+`")
SEVERAL = 3  # rows from which a column that is the same in all of them is said once


def print_json(value: Any) -> None:
    """JSON on standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_line(line: str) -> None:
    """A line on standard output; on a terminal it is folded between words, and never within a `command`."""
    if like_terminal():
        own = "  " if line.startswith("  ") else ""
        held = _COMMAND.sub(lambda command: command[0].replace(" ", "\0"), line.strip())
        line = textwrap.fill(
            held, _width(), initial_indent=own, subsequent_indent="    ", break_long_words=False,
            break_on_hyphens=False,
        ).replace("\0", " ")  # fmt: skip
    click.echo(line)


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]], rare: Sequence[str] = ()) -> None:
    """Columns on standard output: fitted to a terminal, markdown in a pipe.

    On a terminal columns whose cells are all the same are left out, and said below if there is anything to say; so are
    columns that are `rare`, which few rows fill, with the names of these rows.
    """
    rows = [[visible(cell) for cell in row] for row in rows]
    if not like_terminal():
        click.echo(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
        for row in rows:
            click.echo(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |")
        return
    from membench.formats.grid import text_grid

    several = len(rows) >= SEVERAL and len(head) > 2  # columns: two are a name and its value
    alike = {k: rows[0][k] for k in range(1, len(head)) if several and len({row[k] for row in rows}) == 1}
    shown = [k for k in range(len(head)) if k not in alike and head[k] not in rare]
    click.echo(text_grid([head[k] for k in shown], [[row[k] for k in shown] for row in rows], _width()), nl=False)
    if said := [f"{head[k]}: {value}" for k, value in alike.items() if value]:
        print_line(f"the same in all: {' · '.join(said)}")
    for k in (k for k in range(1, len(head)) if k not in alike and head[k] in rare):
        for value in dict.fromkeys(row[k] for row in rows if row[k]):
            print_line(f"{head[k]} of {', '.join(row[0] for row in rows if row[k] == value)}: {value}")


def _width() -> int:
    return shutil.get_terminal_size((80, 24)).columns
