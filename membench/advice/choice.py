"""Which of the methods that keep the limits: the cheapest of those that are not resolved from the best.

A method that was trained with one seed is resolved from nothing, so it neither wins nor keeps another from it: it is
named, with what was observed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from membench.tables.entry import Entry
from membench.tables.formatting import size
from membench.tables.significance import stand, tied


@dataclass(frozen=True)
class Candidate:
    """A method at the size of the need: seconds by the number of contexts and questions, bytes as `bytes_at` says.

    The ends of shares' intervals are cut at 0 and 1.
    """

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
    method: str = ""
    p95: float | None = None  # seconds that 95 of 100 questions wait at most, asked one at a time
    cost: float | None = None  # of a month, at the price of an hour
    settings: Mapping[str, Any] = field(default_factory=dict)  # those that are not the method's defaults


Rated = tuple[Entry, Candidate]


def choose(fitting: Sequence[Rated], metric: str) -> tuple[str | None, str]:
    """The label of the choice among those that keep the limits (best first), and why; None if nothing supports one."""
    if not fitting:
        return None, "no method keeps the limits"
    bare = [pair for pair in fitting if pair[0].unseeded]
    sure = [pair for pair in fitting if not pair[0].unseeded]
    if not sure and len(fitting) > 1:
        named = ", ".join(f"{c.label} ({c.score:.2f})" for _, c in bare)
        return None, f"the data do not decide: one seed each, whose noise nothing covers (play --seeds 0,1,2): {named}"
    found, why = _among(sure or fitting, metric)
    return found, why + _observed(bare if sure else [], (sure or fitting)[0][1])


def _among(fitting: Sequence[Rated], metric: str) -> tuple[str | None, str]:
    best = fitting[0][1]
    above = [c for e, c in fitting if _above_floor(e, c, metric)]
    if best not in above:
        return None, f"the data do not decide: not even {best.label}, the best within the limits, is above the floor"
    if len(fitting) == 1:
        return best.label, "the only one that keeps the limits; nothing was compared"
    placed = {e.label: e.standing for e in stand([e for e, _ in fitting], metric, None).entries}
    top = placed[best.label]
    if top is None:
        return None, "the data do not decide: the methods were not played on the same contexts"
    rivals = [c for c in above if c is not best and tied(top, placed[c.label])]
    if not rivals:
        second = fitting[1][1]
        return best.label, f"above every other within the limits; next is {second.label}, {price(second)}"
    chosen = min((best, *rivals), key=_cost)
    others = ", ".join(f"{c.label} ({c.score:.2f}; {price(c)})" for c in (best, *rivals) if c is not chosen)
    seen = f", where a difference of {top.mde:.2f} would mostly be seen" if top.mde else ""
    return chosen.label, f"not resolved from {others}{seen}; cheapest of these"


def _above_floor(entry: Entry, rated: Candidate, metric: str) -> bool:
    return rated.low is not None and rated.low > (entry.yardstick(entry.floor, metric) or 0.0)


def _observed(bare: Sequence[Rated], best: Candidate) -> str:
    """What is to be said of those of one seed, beside the best of the others."""
    above, below = ([c for _, c in bare if (c.score > best.score) == up] for up in (True, False))
    parts = [
        (above, "better than it by observation, with one seed: worth playing with more seeds (--seeds 0,1,2)"),
        (below, "worse by observation, with one seed"),
    ]
    return "".join(
        f". {', '.join(f'{c.label} ({c.score:.2f})' for c in those)}: {what}" for those, what in parts if those
    )


def price(c: Candidate) -> str:
    """Bytes and seconds as they are printed."""
    return f"{'bytes unknown' if c.bytes is None else size(c.bytes)}, {spelt(c.total_seconds) or 'seconds unknown'}"


def spelt(seconds: float | None) -> str:
    """Seconds in three digits, "" for none: 3,860 s."""
    return "" if seconds is None else f"{float(f'{seconds:.3g}'):,.10g} s"


def _cost(c: Candidate) -> tuple[float, float]:
    return tuple(math.inf if x is None else x for x in (c.total_seconds, c.bytes))  # type: ignore[return-value]
