"""Which of the measured methods fits a need: kept limits first, then resolved differences, and what it rests on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from membench.advice.choice import Candidate, choose, spelt
from membench.advice.evidence import Evidence, Played, evidence, played
from membench.advice.memory_size import bytes_at, constant, grew, held, merged
from membench.errors import MembenchError
from membench.statistics.break_even import amortised
from membench.statistics.intervals import FEWEST
from membench.store.cell_folder import Cell
from membench.tables.entry import Entry
from membench.tables.formatting import size
from membench.tables.leaderboard import Table, tables
from membench.tables.ranking_metric import leading_metric

METRICS = ("contains/final", "contains/all")  # after the last write, where the task has that
PROBED = "efficacy/all"  # tells the task that asks around single facts: it knows damage, and nothing of size
DAY = 86_400.0
EVERY: Mapping[str, float] = {"never": math.inf, "monthly": 365 / 12 * DAY, "weekly": 7 * DAY, "daily": DAY}
MONTH = EVERY["monthly"]


@dataclass(frozen=True)
class Need:
    """What is to be remembered and asked in a month, and the most that it may cost; None is no limit.

    `update` says how often all texts are written anew (a key of EVERY), `delete` that single texts are to be forgotten
    exactly, `p95` the most seconds that 95 of 100 questions may wait. Damage is in points of 1.
    """

    contexts: int
    questions: int
    update: str = "never"
    delete: bool = False
    p95: float | None = None
    price_per_hour: float | None = None
    max_bytes: float | None = None
    max_damage: float | None = None
    max_write_seconds: float | None = None

    @property
    def writes(self) -> float:
        """How often all texts are written in a month."""
        return max(1.0, MONTH / EVERY[self.update])


@dataclass(frozen=True)
class Advice:
    """What one table says: `choice` is a method, or None where none fits or the data do not decide; and why."""

    title: str
    metric: str
    choice: str | None
    because: str
    candidates: tuple[Candidate, ...]  # best first, those that fit before those that do not
    notes: tuple[str, ...]
    held: int = 1  # contexts that a memory held when it was measured


def advise(cells: Sequence[Cell], need: Need, **filters: Any) -> list[Advice]:
    """An advice a table; `filters` are those of `tables`. Raises MembenchError where nothing matches."""
    found = [table for table in tables(cells, **filters) if _entries(table)]
    if not found:
        raise MembenchError("no stored table has a method to advise on: play some with `membench run`")
    known = evidence(tables(cells, **{**filters, "task": ()}), cells, need.p95 is not None)
    return [_advice(table, need, known) for table in found]


def _entries(table: Table) -> list[Entry]:
    played = [e for e in table.entries if not e.mark and e.status == "done" and PROBED not in e.names]
    metric = _metric(played)
    return [e for e in played if e.interval(metric)]


def _metric(entries: Sequence[Entry]) -> str:
    """Recall@k of a recommendation; else of METRICS the first that all have."""
    leading = leading_metric(entries, None)
    options = METRICS if leading in METRICS else (leading,)
    return next((name for name in options if all(e.interval(name) for e in entries)), options[-1])


def _advice(table: Table, need: Need, known: Evidence) -> Advice:
    entries = _entries(table)
    metric = _metric(entries)
    rated = [(e, _candidate(e, metric, need, known, played(e, table))) for e in entries]
    rated.sort(key=lambda pair: (bool(pair[1].misses), -pair[1].score, pair[1].label))
    choice, because = choose([pair for pair in rated if not pair[1].misses], metric)
    return Advice(
        table.title, metric, choice, because, tuple(c for _, c in rated), _notes(table, need, rated), held_by(table)
    )


def held_by(table: Table) -> int:
    """The contexts that the memories of a table held at once."""
    return max(1, round(max((held(entry) for entry in table.entries if not entry.mark), default=1)))


def _candidate(entry: Entry, metric: str, need: Need, known: Evidence, key: Played) -> Candidate:
    score = entry.interval(metric)
    assert score  # entries without one are no candidates
    few = (entry.clusters(metric) or FEWEST) < FEWEST
    write, read = (entry.cost(name) for name in ("write_seconds_per_context", "read_seconds_per_question"))
    stored = bytes_at(entry, need.contexts)
    writing = None if write is None else write * need.contexts
    total = None if writing is None or read is None else amortised(writing * need.writes, read, need.questions)
    told = [of.get(key) for of in (known.damage, known.waiting, known.forgetting)]
    damage, waits, exact = (None if found is None else found.value for found in told)
    longest = min(need.max_write_seconds or math.inf, EVERY[need.update])
    limits = (
        ("bytes", stored, need.max_bytes), ("write seconds", writing, longest if longest < math.inf else None),
        ("damage", damage, need.max_damage), ("p95 seconds", waits, need.p95),
    )  # fmt: skip
    misses = [_miss(name, found, limit) for name, found, limit in limits if _over(found, limit)]
    if need.delete and (exact is None or exact < 1):
        misses.append("deletion not measured" if exact is None else "deletion not exact")
    ids = tuple(dict.fromkeys((*entry.ids, *(i for found in told if found for i in found.cells))))
    low, high = (None if end is None or few else _share(end) for end in (score.low, score.high))
    cost = None if total is None or need.price_per_hour is None else total / 3600 * need.price_per_hour
    return Candidate(
        entry.label,
        score.value,
        low,
        high,
        stored,
        writing,
        total,
        damage,
        tuple(misses),
        ids,
        entry.method,
        waits,
        cost,
        entry.settings,
    )


def _share(end: float) -> float:
    return min(max(end, 0.0), 1.0)


def _over(found: float | None, limit: float | None) -> bool:
    return limit is not None and (found is None or found > limit)


def _miss(name: str, found: float | None, limit: float | None) -> str:
    if found is None or limit is None:
        return f"{name} not measured"
    said = [
        size(x) if name == "bytes" else spelt(x) if name.endswith("seconds") else f"{x:.3g}" for x in (found, limit)
    ]
    return f"{name} {said[0]} above {said[1]}"


def _notes(table: Table, need: Need, rated: Sequence[tuple[Entry, Candidate]]) -> tuple[str, ...]:
    sizes = f"{table.contexts} contexts and {table.questions} questions"
    out = [
        f"seconds are extrapolated in proportion, bytes by what one more context adds, from {sizes}; scores are not, "
        "and may fall with size"
    ]
    fixed = [e.label for e, _ in rated if constant(e) and held(e) > 1 and (merged(e) or not grew(e))]
    if fixed:
        out.append(f"of constant size, so bytes grow only by what is kept for rehearsal: {', '.join(fixed)}")
    filling = [e.label for e, _ in rated if constant(e) and held(e) > 1 and e.label not in fixed]
    if filling:
        out.append(f"still filling up when measured, so bytes are at most what is said: {', '.join(filling)}")
    out.append("the ends of intervals of shares are cut at 0 and 1")
    if all(candidate.damage is None for _, candidate in rated):
        out.append("damage is not measured: play the task contamination with the same methods")
    else:
        out.append("damage: upper end of its interval, as the task contamination measured it after single writes")
    bare = [entry.label for entry, _ in rated if entry.unseeded]
    if bare:
        out.append(f"one seed, whose noise nothing here covers (play --seeds 0,1,2): {', '.join(bare)}")
    if table.contexts < need.contexts:
        out.append(f"measured on {table.contexts} contexts, asked for {need.contexts}")
    return tuple(out)
