"""Columns by what a person types: a group of them, their heads, or the names of metrics and costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from membench.errors import unknown
from membench.overview.measures import Measure, of_column, of_one, shows
from membench.plugins import registry
from membench.tables.catalogue import COSTS, declared_by
from membench.tables.columns import COLUMNS, Column, columns_for, of_declaration
from membench.tables.leaderboard import Table
from membench.views import ANSWERS, DETAIL, RISK, TIME

GROUPS = ("cost", "quality", "risk", "all")
_MOST = 7
_PLAIN: Mapping[str, str] = {  # heads of the short tables that are no columns of the full ones
    "alone": "the task single: each text written alone, then asked about; share of questions answered right",
    "together": "the task batch: all texts written at once, then asked about; share of questions answered right",
    "after writes": "the task sequential: texts written one after another, all asked about after the last",
    "just after": "the task sequential: each text asked about just after its write",
    "rehearsed / not": "share right of the facts that target sentences repeat, and of those that none repeats",
    "memory": "bytes of one whole memory: of all texts that are written into it (alone: of one)",
}


def chosen(table: Table, typed: Sequence[str], sort: str | None) -> list[Measure]:
    """The columns of one table that these names stand for and that have something to show there.

    Beside a group stands the score of the table. Raises MembenchError for a name that is no column of any table.
    """
    columns = columns_for(table.entries)
    found: dict[str, Measure] = {}
    for name in typed:
        if name in GROUPS:
            group = [column for column in columns if name == "all" or _group(column) == name]
            lead = of_one(table, sort, _MOST)[:1] if group else []
            found |= {measure.head: measure for measure in (*lead, *map(of_column, group))}
        else:
            head = _named(name, columns).head
            found |= {column.head: of_column(column) for column in columns if column.head == head}
    return [measure for measure in found.values() if shows(measure, table)]


def explain(name: str) -> str:
    """How to read a column, in a line. Raises MembenchError for a name that is none."""
    plain = name.lower()
    if text := next((text for head, text in _PLAIN.items() if plain in (head, head.replace(" ", ""))), None):
        return f"{name}: {text}"
    if plain.startswith("after ") and plain.endswith(" writes"):
        return f"{name}: {_PLAIN['after writes']}"
    own = [of_declaration(spec) for task in registry.names("tasks") for spec in declared_by(task) if spec.title]
    column = _named(name, own)
    return f"{column.head}: {column.help}"


def _group(column: Column) -> str:
    if column.section in (RISK, DETAIL, TIME):
        return "risk"
    costs = {spec.title for spec in COSTS.values()} | {"front"}
    return "cost" if column.section == ANSWERS and column.head in costs else "quality"


def _named(name: str, more: Sequence[Column]) -> Column:
    """A column by its head or by the name of its metric or cost, in whatever case."""
    known = {column.head: column for column in (*COLUMNS, *more)}
    for column in known.values():
        if name.lower() in (column.head.lower(), column.name.lower(), column.name.lower().removesuffix("/all")):
            return column
    raise unknown("column", name, (*GROUPS, *known))
