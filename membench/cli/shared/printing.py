"""How commands print: JSON, and tables for a terminal or a pipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import click

from membench.text.visible import visible


def print_json(value: Any) -> None:
    """JSON on standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns on standard output: boxed on a terminal, markdown in a pipe."""
    if not sys.stdout.isatty():
        click.echo(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
        for row in rows:
            click.echo(f"| {' | '.join(visible(cell).replace('|', chr(92) + '|') for cell in row)} |")
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*head)
    for row in rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    Console().print(table)
