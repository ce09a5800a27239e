"""Rows that no method played but the same questions give: "always abstains" and its like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from membench.tables.entry import Entry

PREFIX = "control:"  # of metrics that are a row of their own: "control:ROW:METRIC/VIEW"


def control_rows(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Rows that no method played but the same questions give, e.g. "always abstains"; of the first entry with any."""
    first = next((entry for entry in entries if any(name.startswith(PREFIX) for name in entry.names)), None)
    if first is None:
        return ()
    rows = dict.fromkeys(name.split(":")[1] for name in first.names if name.startswith(PREFIX))
    return tuple(_control(first, row) for row in rows)


def _control(entry: Entry, row: str) -> Entry:
    start = f"{PREFIX}{row}:"
    own = [{n.removeprefix(start): m for n, m in s.items() if n.startswith(start)} for s in entry.summaries]
    return replace(
        entry, method=row, settings={}, seeds=entry.seeds[:1], ids=(), summaries=tuple(own[:1]), floor={}, reference={},
        costs={}, coverage=None, mark="control", title=None,
    )  # fmt: skip
