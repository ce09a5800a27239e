"""Which metric leads a table: ranks its entries, decides their groups and fronts, and stands in its figures."""

from __future__ import annotations

from collections.abc import Sequence

from membench.errors import unknown
from membench.tables.catalogue import column_of
from membench.tables.entry import Entry


def leading_metric(entries: Sequence[Entry], sort: str | None) -> str:
    """The metric that sorts, as "score/view"; else the one that is declared to lead, or contains.

    Else is also where a cost sorts, and where no entry has what sorts other tables.
    """
    if sort:
        full = sort if "/" in sort or ":" in sort else f"{sort}/all"
        if any(full in entry.names for entry in entries):
            return full
    return next((n for entry in entries for n in entry.names if _leads(entry, n)), "contains/all")


def _leads(entry: Entry, name: str) -> bool:
    spec = entry.spec(name)
    return spec is not None and spec.leads and name == column_of(spec.name)


def sorts(entries: Sequence[Entry], sort: str) -> bool:
    """Whether this is a cost or a metric that any of these entries has."""
    return any(sort in entry.costs or {sort, f"{sort}/all"} & {*entry.names} for entry in entries)


def check_sort(entries: Sequence[Entry], sort: str) -> None:
    """Raises MembenchError where no entry has what is to sort them; where none has numbers, anything will do."""
    known = {name.removesuffix("/all") for entry in entries for name in (*entry.names, *entry.costs)}
    if known and not sorts(entries, sort):
        whole = {name for name in known if "/" not in name and ":" not in name}
        raise unknown("metric", sort, known if "/" in sort or ":" in sort else whole)


def is_share(metric: str, entries: Sequence[Entry]) -> bool:
    """Whether a metric of these entries lies within [0, 1]."""
    spec = next((spec for entry in entries if (spec := entry.spec(metric))), None)
    return spec is not None and spec.unit == "share"


def less_is_better(metric: str, entries: Sequence[Entry]) -> bool:
    """Whether a metric of these entries counts downwards."""
    spec = next((spec for entry in entries if (spec := entry.spec(metric))), None)
    return spec is not None and spec.higher_is_better is False
