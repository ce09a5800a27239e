"""What stored cells tell of a need beside scores: damage, deletion, and how long a single question waits."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from membench.statistics.intervals import FEWEST
from membench.statistics.ratios import ROUNDING
from membench.store.cell_folder import Cell, records_of
from membench.tables.entry import Entry
from membench.tables.leaderboard import Table

EXACT = "exact/forgotten"  # of the task deletion
DAMAGE = ("damage", "drift")  # metrics named so, in whatever subset: what writing does to everything else
FEWEST_WAITS = 20  # questions asked one at a time that a 95th percentile is taken of
Played = tuple[str, str, str]  # method, its settings, model


@dataclass(frozen=True)
class Measured:
    """A number, and the cells that it rests on."""

    value: float
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Evidence:
    """By what was played: damage (upper end), share of answers as if what was forgotten had never been held, the 95th
    percentile of seconds a question.
    """

    damage: Mapping[Played, Measured] = field(default_factory=dict)
    forgetting: Mapping[Played, Measured] = field(default_factory=dict)
    waiting: Mapping[Played, Measured] = field(default_factory=dict)


def evidence(every: Sequence[Table], cells: Sequence[Cell], waits: bool) -> Evidence:
    """What these tables tell, whatever their task; of several the one of the most contexts.

    With `waits` the records are read for steps that asked one question alone.
    """
    entries = [(played(e, table), e) for table in every for e in table.entries if not e.mark and e.status == "done"]
    entries.sort(key=lambda pair: pair[1].contexts or 0)
    ends = [(key, entry, worst_damage(entry)) for key, entry in entries]
    exact = [(key, entry, entry.interval(EXACT)) for key, entry in entries]
    return Evidence(
        {key: Measured(end, entry.ids) for key, entry, end in ends if end is not None},
        {key: Measured(share.value, entry.ids) for key, entry, share in exact if share is not None},
        _waiting(entries, cells) if waits else {},
    )


def played(entry: Entry, table: Table) -> Played:
    """What was played, by which numbers of several tasks belong together."""
    return entry.method, repr(sorted(entry.settings.items())), table.recipe["model"]


def worst_damage(entry: Entry) -> float | None:
    """The upper end of the worst damage that is stored, so that what is not resolved to be small does not pass."""
    names = [name for name in entry.names if name.partition("/")[0].partition(":")[0] in DAMAGE]
    ends = [end for name in names if (end := _upper_end(entry, name)) is not None]
    return min(max(*ends, 0.0), 1.0) if ends else None


def _upper_end(entry: Entry, name: str) -> float | None:
    """1 where too few contexts tell of it, and where all tell the same share: nothing says how others would vary."""
    found = entry.interval(name)
    if found is None:
        return None
    few = (entry.clusters(name) or FEWEST) < FEWEST
    if found.low is None or found.high is None or few:
        return 1.0
    return 1.0 if found.high - found.low < ROUNDING and 0 < found.value < 1 else found.high


def _waiting(entries: Sequence[tuple[Played, Entry]], cells: Sequence[Cell]) -> dict[Played, Measured]:
    """The 95th percentile (nearest rank) of the seconds of steps that read one question, where there are enough."""
    by_id = {cell.id: cell for cell in cells}
    seconds: dict[Played, list[float]] = defaultdict(list)
    rests: dict[Played, list[str]] = defaultdict(list)
    for key, entry in entries:
        for cell in (by_id[i] for i in entry.ids if i in by_id):
            asks = [r for r in records_of(cell) if r["type"] == "ask" and r.get("read", r["questions"]) == 1]
            if asks:
                seconds[key] += [record["seconds"] for record in asks]
                rests[key].append(cell.id)
    enough = {key: sorted(those) for key, those in seconds.items() if len(those) >= FEWEST_WAITS}
    return {key: Measured(v[math.ceil(0.95 * len(v)) - 1], tuple(rests[key])) for key, v in enough.items()}
