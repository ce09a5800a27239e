"""The columns of the short tables: what stands under which head, and of which table of an overview it tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from membench.statistics.intervals import FEWEST, Interval
from membench.tables.catalogue import COSTS, METRICS, column_of
from membench.tables.columns import Column
from membench.tables.entry import Entry
from membench.tables.formatting import FEW, NOTHING, cost, ends, marked, number, size
from membench.tables.leaderboard import Table
from membench.tables.ranking_metric import leading_metric
from membench.values import MetricSpec

# Heads of tasks where they stand side by side, and their order; any other task goes by its name.
_HEADS = {"single": "alone", "batch": "together"}
_VIEWS = ("rehearsed", "unrehearsed", "placebo")

Show = Callable[[Entry], str]


@dataclass(frozen=True)
class Measure:
    """A column of a short table: `table` is the position of the table that it tells of.

    `ranks` marks the one that orders the lines: it has an interval, and the signs of the lines beside it.
    """

    head: str  # its words may stand below each other; or what `narrow` says, in several lines
    help: str
    show: Show
    table: int = 0
    ranks: bool = False
    cost: bool = False
    narrow: str = ""


def place(table: Table) -> tuple[int, str]:
    """Where a task's column stands: single, batch, others by name, after all writes, damage."""
    task = table.recipe["task"]
    last = 9 if _probes(table) else 8 if _final(table) else 5
    return (list(_HEADS).index(task) if task in _HEADS else last), task


def is_first(table: Table) -> bool:
    """Whether a task says what is remembered alone, together or after all writes, or what is damaged."""
    return table.recipe["task"] in _HEADS or _final(table) is not None or _probes(table)


def side_by_side(table: Table, position: int, ranks: bool, sort: str | None) -> Measure:
    """The column of a task among others: of one that writes one after another what is left, of probes the damage."""
    task, name = table.recipe["task"], leading_metric(table.entries, sort)
    head, text = _HEADS.get(task, task), _help(name, table)
    if _probes(table):
        head, name, text = "damage", "damage/all", METRICS["damage"].help
    elif any("residual/forgotten" in entry.names for entry in table.entries):
        head, name, text = "left of deleted", "residual/forgotten", METRICS["residual/forgotten"].help
    elif left := _final(table, sort):
        head, name, text = f"after {table.contexts} writes", left, METRICS["contains/final"].help
    return Measure(head, text, ranged(name) if ranks else plain(name), position, ranks)


def told_apart(table: Table, position: int, sort: str | None) -> list[Measure]:
    """The column of facts that target sentences repeat beside those that none repeats, where a table has both."""
    score = leading_metric(table.entries, sort).partition("/")[0]
    views = tuple(f"{score}/{view}" for view in _VIEWS[:2])
    specs = [_spec(view, table) for view in views]
    text = "facts that target sentences repeat, and facts that none repeats"
    found = Measure("rehearsed / not", text, _both(*views), position, narrow="re-\nhearsed\n/ not")
    return [found] if all(spec and spec.unit == "share" for spec in specs) and shows(found, table) else []


def of_one(table: Table, sort: str | None, most: int) -> list[Measure]:
    """The columns of a task that stands alone: its score, what belongs to it, and costs; of probes no costs."""
    name = leading_metric(table.entries, sort)
    score, probes, left = name.partition("/")[0], _probes(table), _final(table, sort)
    if probes:
        name = name if sort else "efficacy/all"
        more = _brief(table)
    elif left:
        final = Measure(f"after {table.contexts} writes", METRICS["contains/final"].help, plain(left))
        half = Measure("half-life", "further writes until half is gone", lambda e: str(e.half_life or NOTHING))
        more = [final, half, _named(f"{score}/placebo")]
    else:
        more = [*_brief(table), *map(_named, _views(score))]
    head = "just after" if left and name.endswith("/all") else _title(name, table)
    lead = Measure(head, _help(name, table), ranged(name), ranks=True)
    costs = [] if probes else cost_measures(table, 0)
    shown = [m for m in more if m.head != lead.head and shows(m, table)]
    return [lead, *shown[: most - 1 - len(costs)], *costs]


def cost_measures(table: Table, position: int) -> list[Measure]:
    """Seconds a text to write, bytes of the memory, seconds a question to read: of them the last goes first."""
    written, read = COSTS["write_seconds_per_context"], COSTS["read_seconds_per_question"]
    found = (
        ("write s", written.help, cost(replace(written, digits=1))),
        ("memory", "bytes of the whole memory", lambda entry: size(entry.cost("state_bytes"), 2)),
        ("read s", read.help, cost(replace(read, digits=2))),
    )
    made = [Measure(head, text, show, position, cost=True) for head, text, show in found]
    return [measure for measure in made if shows(measure, table)]


def of_column(column: Column) -> Measure:
    """A column of the full tables."""
    return Measure(column.head, column.help, column.show)


def shows(measure: Measure, table: Table) -> bool:
    """Whether any entry has something to show there."""
    return any(measure.show(entry) != NOTHING for entry in table.entries)


def plain(name: str) -> Show:
    """A metric without its interval."""
    return lambda entry: marked(number(entry.value(name), _digits(entry, name)), entry, name)


def ranged(name: str) -> Show:
    """A metric with the ends of its interval: 0.72 .66–.78; what is no share has ± or both ends."""

    def show(entry: Entry) -> str:
        found, spec = entry.interval(name), entry.spec(name)
        if found is None:
            return NOTHING
        digits = _digits(entry, name)
        text = number(found.value, digits)
        if (entry.clusters(name) or FEWEST) < FEWEST:
            return f"{text} {FEW}"
        shown = _ends(found, digits, bool(spec and spec.unit == "share"))
        return marked(f"{text} {shown}".rstrip(), entry, name)

    return show


def _both(one: str, other: str) -> Show:
    """Two shares without intervals: .66/.04."""

    def show(entry: Entry) -> str:
        values = [entry.value(name) for name in (one, other)]
        text = "/".join(_short(value, 2) for value in values if value is not None)
        return marked(text, entry, one) if "/" in text else NOTHING

    return show


def _short(share: float, digits: int) -> str:
    return number(share, digits)[1:] if share < 0.995 else "1.0"


def _ends(found: Interval, digits: int, share: bool) -> str:
    """Nothing where there is no interval, or none that the digits show."""
    if found.low is None or found.high is None or number(found.high - found.low, digits) == number(0.0, digits):
        return ""
    if not share:
        return ends(found, digits)
    return "–".join(_short(end, digits) for end in (found.low, found.high))


def _digits(entry: Entry, name: str) -> int:
    spec = entry.spec(name)
    return spec.digits if spec else 2


def _probes(table: Table) -> bool:
    return any("efficacy/all" in entry.names for entry in table.entries)


def _final(table: Table, sort: str | None = None) -> str | None:
    """The metric of what is left after the last write, where contexts are written one after another."""
    score = leading_metric(table.entries, sort).partition("/")[0]
    options = (f"{score}/final", "contains/final")
    return next((name for name in options if any(name in entry.names for entry in table.entries)), None)


def _views(score: str) -> list[str]:
    return [f"{score}/{view}" for view in _VIEWS]


def _brief(table: Table) -> list[Measure]:
    """What the metrics of a table that are declared for its short one say, in the order that they declare."""
    specs = {spec.name: spec for e in table.entries for name in e.names if (spec := e.spec(name)) and spec.brief}
    return [_told(spec) for spec in sorted(specs.values(), key=lambda spec: spec.brief)]


def _named(name: str) -> Measure:
    return _told(METRICS.get(name) or MetricSpec(name, name))


def _told(spec: MetricSpec) -> Measure:
    return Measure(spec.title or spec.name, spec.help, plain(column_of(spec.name)))


def _spec(name: str, table: Table) -> MetricSpec | None:
    return next((spec for entry in table.entries if (spec := entry.spec(name))), None)


def _title(name: str, table: Table) -> str:
    spec = _spec(name, table)
    exact = spec is not None and column_of(spec.name) == name
    return spec.title if spec and exact and spec.title else name.removesuffix("/all")


def _help(name: str, table: Table) -> str:
    spec = _spec(name, table)
    return spec.help if spec else ""
