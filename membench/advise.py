"""Which of the measured methods fits a need: kept limits first, then resolved differences, and what it rests on."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from membench import registry
from membench.entry import Entry
from membench.errors import MembenchError
from membench.ledger import amortised
from membench.standing import stand
from membench.store import Cell
from membench.tables import Table, tables

DAMAGE = ("damage", "drift")  # metrics named so, in whatever subset: what writing does to everything else
METRICS = ("contains/final", "contains/all")  # after the last write, where the task has that
PROBED = "efficacy/all"  # tells the task that asks around single facts: it knows damage, and nothing of size
Played = tuple[str, str, str]  # method, its settings, model


@dataclass(frozen=True)
class Need:
    """What is to be remembered and asked, and the most that it may cost; None is no limit. Damage in points of 1."""

    contexts: int
    questions: int
    max_bytes: float | None = None
    max_damage: float | None = None
    max_write_seconds: float | None = None


@dataclass(frozen=True)
class Candidate:
    """A method at the size of the need: seconds by the number of contexts and questions, bytes as `bytes_at` says."""

    label: str
    score: float
    low: float | None
    high: float | None
    bytes: float | None
    write_seconds: float | None
    total_seconds: float | None
    damage: float | None
    misses: tuple[str, ...]  # the limits that it does not keep, or cannot be shown to
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Advice:
    """What one table says: `choice` is a method, or None where none fits or the data do not decide; and why."""

    title: str
    metric: str
    choice: str | None
    because: str
    candidates: tuple[Candidate, ...]  # best first, those that fit before those that do not
    notes: tuple[str, ...]


def advise(cells: Sequence[Cell], need: Need, **filters: Any) -> list[Advice]:
    """An advice a table; `filters` are those of `tables`. Raises MembenchError where nothing matches."""
    found = [table for table in tables(cells, **filters) if _entries(table)]
    if not found:
        raise MembenchError("no stored table has a method to advise on: play some with `membench run`")
    known = _damages(tables(cells, **{**filters, "task": ()}))
    return [_advice(table, need, known) for table in found]


def _entries(table: Table) -> list[Entry]:
    played = [e for e in table.entries if not e.mark and PROBED not in e.names]
    return [e for e in played if any(e.interval(name) for name in METRICS)]


def _damages(every: Sequence[Table]) -> dict[Played, Entry]:
    """The entries that tell of damage, whatever the task; of several the one of the most contexts."""
    told = [(_played(e, table), e) for table in every for e in table.entries if not e.mark and _damage(e) is not None]
    return dict(sorted(told, key=lambda pair: pair[1].contexts or 0))


def _played(entry: Entry, table: Table) -> Played:
    return entry.method, repr(sorted(entry.settings.items())), table.recipe["model"]


def _advice(table: Table, need: Need, known: Mapping[Played, Entry]) -> Advice:
    entries = _entries(table)
    metric = next(name for name in METRICS if all(e.interval(name) for e in entries))
    rated = [(e, _candidate(e, metric, need, known.get(_played(e, table)))) for e in entries]
    rated.sort(key=lambda pair: (bool(pair[1].misses), -pair[1].score, pair[1].label))
    choice, because = _choice([pair for pair in rated if not pair[1].misses], metric)
    return Advice(table.title, metric, choice, because, tuple(c for _, c in rated), _notes(table, need, rated))


def _choice(fitting: Sequence[tuple[Entry, Candidate]], metric: str) -> tuple[str | None, str]:
    """The method that is resolved to be above all others that fit; None, and why, where there is none."""
    if not fitting:
        return None, "no method keeps the limits"
    best, rated = fitting[0]
    floor = best.yardstick(best.floor, metric)
    if rated.low is None or rated.low <= (floor or 0.0):
        return None, f"the data do not decide: not even {best.label}, the best within the limits, is above the floor"
    if len(fitting) == 1:
        return best.label, "the only one that keeps the limits; nothing was compared"
    placed = {e.label: e.standing for e in stand([e for e, _ in fitting], metric, None).entries}
    top = placed[best.label]
    rivals = [n for n, s in placed.items() if n != best.label and (not top or not s or _shared(top.group, s.group))]
    if not rivals:
        second = fitting[1][1]
        return best.label, f"above every other within the limits; next is {second.label}, {_price(second)}"
    among = [c for _, c in fitting if c.label in (best.label, *rivals)]
    cheapest = min(among, key=lambda c: math.inf if c.total_seconds is None else c.total_seconds)
    prices = "; ".join(f"{c.label}: {_price(c)}" for c in among)
    return None, f"the data do not decide between {prices}. {cheapest.label} takes the fewest seconds"


def _price(c: Candidate) -> str:
    size = "bytes unknown" if c.bytes is None else f"{c.bytes:.3g} bytes"
    return f"{size}, {'seconds unknown' if c.total_seconds is None else f'{c.total_seconds:.3g} s'}"


def _shared(one: str | None, other: str | None) -> bool:
    """Whether two groups share a letter; a letter may carry a number."""
    split = [set(_letters(group or "")) for group in (one, other)]
    return bool(split[0] & split[1])


def _letters(group: str) -> list[str]:
    found: list[str] = []
    for sign in group:
        if sign.isdigit() and found:
            found[-1] += sign
        else:
            found.append(sign)
    return found


def _candidate(entry: Entry, metric: str, need: Need, damaging: Entry | None) -> Candidate:
    score = entry.interval(metric)
    assert score  # entries without one are no candidates
    write, read = (entry.cost(name) for name in ("write_seconds_per_context", "read_seconds_per_question"))
    stored = bytes_at(entry, need.contexts)
    writing = None if write is None else write * need.contexts
    total = None if writing is None or read is None else amortised(writing, read, need.questions)
    damage = _damage(damaging) if damaging else None
    limits = (
        ("bytes", stored, need.max_bytes), ("write seconds", writing, need.max_write_seconds),
        ("damage", damage, need.max_damage),
    )  # fmt: skip
    misses = tuple(_miss(name, found, limit) for name, found, limit in limits if _over(found, limit))
    ids = tuple(dict.fromkeys((*entry.ids, *(damaging.ids if damaging else ()))))
    return Candidate(entry.label, score.value, score.low, score.high, stored, writing, total, damage, misses, ids)


def bytes_at(entry: Entry, contexts: int) -> float | None:
    """Bytes at rest of a memory of so many contexts; None where they were not measured.

    A memory that was measured with one context at a time stands for one of them, so there are as many. One that was
    measured with several grows by what each more adds: of one that fills up, at most by that. Weights do not grow, but
    for what is kept beside them.
    """
    state, each, held = entry.cost("state_bytes"), entry.cost("state_bytes_per_context"), _held(entry)
    if state is None or each is None:
        return None
    if held <= 1:
        return each * contexts
    return max(0.0, state + _more(entry, each, held) * (contexts - held))


def _held(entry: Entry) -> float:
    """Contexts in a memory when it was measured, 0 where it takes no bytes."""
    state, each = entry.cost("state_bytes"), entry.cost("state_bytes_per_context")
    return state / each if state and each else 0.0


def _more(entry: Entry, each: float, held: float) -> float:
    """Bytes that one more context adds to a memory of several."""
    marginal = entry.cost("marginal_bytes_per_context")
    if merged(entry) or (constant(entry) and marginal is None):
        beside, state = entry.cost("deployed_growth_bytes") or 0.0, each * held
        return beside / held if beside < state else 0.0
    return each if marginal is None else marginal


def _grew(entry: Entry) -> bool:
    return (entry.cost("marginal_bytes_per_context") or 0.0) > 0


def merged(entry: Entry) -> bool:
    """Whether the memory is weights, into which writes are merged."""
    return _storage(entry).startswith("O(1) weights")


def constant(entry: Entry) -> bool:
    """Whether the method says that its memory does not grow without end."""
    return _storage(entry).startswith("O(1)")


def _storage(entry: Entry) -> str:
    """The storage class that the method states; one that is not installed says nothing."""
    with contextlib.suppress(MembenchError):
        return str(registry.load("methods", entry.method).storage)
    return ""


def _over(found: float | None, limit: float | None) -> bool:
    return limit is not None and (found is None or found > limit)


def _miss(name: str, found: float | None, limit: float | None) -> str:
    return f"{name} not measured" if found is None else f"{name} {found:.3g} above {limit:.3g}"


def _damage(entry: Entry) -> float | None:
    """The upper end of the worst damage that is stored, so that what is not resolved to be small does not pass."""
    found = [entry.interval(name) for name in entry.names if name.partition("/")[0].partition(":")[0] in DAMAGE]
    ends = [i.value if i.high is None else i.high for i in found if i]
    return max(ends, default=None)


def _notes(table: Table, need: Need, rated: Sequence[tuple[Entry, Candidate]]) -> tuple[str, ...]:
    sizes = f"{table.contexts} contexts and {table.questions} questions"
    out = [
        f"seconds are extrapolated in proportion, bytes by what one more context adds, from {sizes}; scores are not, "
        "and may fall with size"
    ]
    fixed = [e.label for e, _ in rated if constant(e) and _held(e) > 1 and (merged(e) or not _grew(e))]
    if fixed:
        out.append(f"of constant size, so bytes grow only by what is kept for rehearsal: {', '.join(fixed)}")
    filling = [e.label for e, _ in rated if constant(e) and _held(e) > 1 and e.label not in fixed]
    if filling:
        out.append(f"still filling up when measured, so bytes are at most what is said: {', '.join(filling)}")
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
