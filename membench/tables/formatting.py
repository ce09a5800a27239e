"""How the numbers of an entry stand in a cell of a table, as text."""

from __future__ import annotations

from collections.abc import Callable

from membench.statistics.intervals import FEWEST, Interval
from membench.tables.entry import Entry

NOTHING = "–"
FEW = "†"  # stands in place of an interval over fewer than FEWEST contexts


def number(value: float | None, digits: int = 2) -> str:
    """With so many decimals."""
    return NOTHING if value is None else f"{value:z.{digits}f}"  # z: no "-0.00"


def estimate(found: Interval | None, contexts: int | None = None) -> str:
    """A value, ± half of its interval where it has one; marked in place of that where these are too few contexts."""
    if found is None:
        return NOTHING
    if contexts is not None and contexts < FEWEST:
        return f"{number(found.value)} {FEW}"
    return number(found.value) + ("" if found.high is None else f" ±{found.high - found.value:.2f}")


def size(value: float | None) -> str:
    """Bytes with a unit of 1000s."""
    if value is None:
        return NOTHING
    for unit in ("B", "kB", "MB"):
        if abs(value) < 999.5:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} GB"


def metric(*names: str) -> Callable[[Entry], str]:
    """The first of these metrics that there is, with its interval."""
    return lambda entry: next((estimate(i, entry.clusters(n)) for n in names if (i := entry.interval(n))), NOTHING)


def plain(name: str) -> Callable[[Entry], str]:
    """A metric without its interval."""
    return lambda entry: number(entry.value(name))


def above_floor(name: str, floor: str) -> Callable[[Entry], str]:
    """A metric minus one of the floor, by context, with its interval."""
    return lambda entry: estimate(entry.above_floor(name, floor), entry.clusters(name))


def recovery(score: str) -> Callable[[Entry], str]:
    """Of rehearsed facts where the data says which these are, else of all."""

    def show(entry: Entry) -> str:
        name = recovered(score, entry)
        return estimate(entry.recovery(name), entry.clusters(name))

    return show


def recovered(score: str, entry: Entry) -> str:
    """The metric whose recovery is shown."""
    return f"{score}/{'rehearsed' if f'{score}/rehearsed' in entry.names else 'all'}"


def gain(score: str) -> Callable[[Entry], str]:
    """The knowledge gain, by the fewer of the contexts that were written and those that were not."""

    def show(entry: Entry) -> str:
        counts = [n for view in ("all", "placebo") if (n := entry.clusters(f"{score}/{view}")) is not None]
        return estimate(entry.gain(score), min(counts, default=None))

    return show


def group(entry: Entry) -> str:
    """The letters of those that it is not resolved from."""
    return (entry.standing and entry.standing.group) or NOTHING


def difference(entry: Entry) -> str:
    """To the declared method; a star where it is resolved."""
    s = entry.standing
    if s is None or s.group is not None:
        return NOTHING
    if (entry.clusters(s.metric) or 0) < FEWEST:
        return f"{s.difference:+.2f} {FEW}"
    return f"{s.difference:+.2f} ±{s.high - s.difference:.2f}{' *' if s.resolved else ''}"


def mde(entry: Entry) -> str:
    """The minimum detectable effect; of methods that score alike in every context nothing tells it."""
    return number((entry.standing.mde or None) if entry.standing else None)


def need(entry: Entry) -> str:
    """On the questions that need the memory; how many, of how many."""
    shown = metric("contains/need")(entry)
    return shown if entry.needed is None or shown == NOTHING else f"{shown} ({entry.needed[0]}/{entry.needed[1]})"


def flops(name: str) -> Callable[[Entry], str]:
    """A cost in two digits, such as 1.2e+09."""

    def show(entry: Entry) -> str:
        found = entry.cost(name)
        return NOTHING if found is None else f"{found:.2g}"

    return show


def cost(name: str, digits: int) -> Callable[[Entry], str]:
    """A cost with so many decimals."""
    return lambda entry: number(entry.cost(name), digits)


def in_bytes(name: str) -> Callable[[Entry], str]:
    """A cost in bytes."""
    return lambda entry: size(entry.cost(name))


def coverage(entry: Entry) -> str:
    """In per cent."""
    return NOTHING if entry.coverage is None else f"{entry.coverage:.0%}"
