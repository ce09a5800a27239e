"""The records of the cells that a page shows, read once for all of its parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from membench.store.cell_folder import Cell, Damaged, records_of


class Shown(NamedTuple):
    """The records of each cell by its id, none of a damaged file; and the ids of those whose file is damaged."""

    records: Mapping[str, Sequence[Mapping[str, Any]]]
    damaged: Sequence[str]


def read_shown(ids: Iterable[str], cells: Iterable[Cell]) -> Shown:
    """Those of the cells of these ids, as far as they are among `cells`."""
    by_id = {cell.id: cell for cell in cells}
    records: dict[str, Sequence[Mapping[str, Any]]] = {}
    damaged = []
    for i in (i for i in ids if i in by_id):
        try:
            records[i] = records_of(by_id[i])
        except Damaged:
            records[i] = ()
            damaged.append(i)
    return Shown(records, damaged)
