"""How the numbers of an entry stand in a cell of a table, as text."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

from membench.statistics.intervals import FEWEST, Interval
from membench.tables.catalogue import METRICS, column_of
from membench.tables.entry import Entry
from membench.text.visible import visible
from membench.values import CostSpec, MetricSpec

NOTHING = "–"
EVEN = 0.03  # by which the sides of an interval may differ under one ±
FEW = "†"  # stands beside a number over fewer than FEWEST contexts, which has no interval, or FEWEST_QUESTIONS
FEWEST_QUESTIONS = 20
NARROW = 24  # letters of a name that stands beside many columns
_MARKS = {"reference": "ref"}
_INDENT = "  "
BESIDE = "‖"  # stands beside seconds that were measured while other cells were played on the machine


def number(value: float | None, digits: int = 2) -> str:
    """With so many decimals."""
    return NOTHING if value is None else f"{value:z.{digits}f}"  # z: no "-0.00"


def estimate(found: Interval | None, contexts: int | None = None, digits: int = 2) -> str:
    """A value with its interval where it has one; marked in place of that where these are too few contexts.

    ± is the longer side. Where the sides differ by more than 0.03, or where ± would leave the range of a share, both
    ends stand there.
    """
    if found is None:
        return NOTHING
    value = number(found.value, digits)
    if contexts is not None and contexts < FEWEST:
        return f"{value} {FEW}"
    return f"{value} {ends(found, digits)}".rstrip()


def ends(found: Interval, digits: int = 2) -> str:
    """± half the width or both ends, as `estimate` has them; nothing where there is no interval."""
    if found.low is None or found.high is None:
        return ""
    below, above = found.value - found.low, found.high - found.value
    wide = max(below, above)
    cut = found.low >= 0 > found.value - wide or found.high <= 1 < found.value + wide  # ± would leave a share's range
    if abs(below - above) > EVEN or cut:
        return f"[{number(found.low, digits)}, {number(found.high, digits)}]"
    return f"±{number(wide, digits)}"


def size(value: float | None, digits: int = 3) -> str:
    """Bytes with a unit of 1000s, in so many digits, or as many as whole ones need."""
    if value is None:
        return NOTHING
    for unit in ("B", "kB", "MB"):
        if abs(value) < 999.5:
            return f"{_rounded(value, digits)} {unit}"
        value /= 1000
    return f"{_rounded(value, digits)} GB"


def _rounded(value: float, digits: int) -> str:
    figures = max(digits, len(str(int(abs(value)))))
    return f"{float(f'{value:.{figures}g}'):g}"


def declared(spec: MetricSpec) -> Callable[[Entry], str]:
    """A metric as it is declared: with its interval, and in brackets the base model's own rate; or its number alone."""
    name = column_of(spec.name)
    if not spec.interval:
        return lambda entry: marked(number(entry.value(name), spec.digits), entry, name)

    def show(entry: Entry) -> str:
        shown = next((n for n in (name, spec.instead) if n and entry.interval(n)), None)
        if shown is None:
            return NOTHING
        used = spec if shown == name else entry.spec(shown) or spec
        base = entry.value(used.base) if used.base else None
        text = estimate(entry.interval(shown), entry.clusters(shown), spec.digits)
        return marked(text if base is None else f"{text} ({number(base, spec.digits)})", entry, shown)

    return show


def marked(text: str, entry: Entry, name: str) -> str:
    """A number of an entry, marked where the metric rests on too few contexts or questions."""
    few = (entry.clusters(name) or FEWEST) < FEWEST or (entry.questions or FEWEST_QUESTIONS) < FEWEST_QUESTIONS
    return f"{text} {FEW}" if few and text != NOTHING and FEW not in text else text


def above_floor(name: str, floor: str) -> Callable[[Entry], str]:
    """A metric minus one of the floor, by context, with its interval."""
    return lambda entry: marked(estimate(entry.above_floor(name, floor), entry.clusters(name)), entry, name)


def recovery(name: str) -> Callable[[Entry], str]:
    """Of a metric, e.g. "contains/all"."""
    return lambda entry: marked(estimate(entry.recovery(name), entry.clusters(name)), entry, name)


def gain(score: str) -> Callable[[Entry], str]:
    """The knowledge gain, by the fewer of the contexts that were written and those that were not."""

    def show(entry: Entry) -> str:
        counts = [n for view in ("all", "placebo") if (n := entry.clusters(f"{score}/{view}")) is not None]
        return marked(estimate(entry.gain(score), min(counts, default=None)), entry, f"{score}/all")

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
    shown = declared(METRICS["contains/need"])(entry)
    return shown if entry.needed is None or shown == NOTHING else f"{shown} ({entry.needed[0]}/{entry.needed[1]})"


def flops(name: str) -> Callable[[Entry], str]:
    """A cost in two digits, such as 1.2e+09."""

    def show(entry: Entry) -> str:
        found = entry.cost(name)
        return NOTHING if found is None else f"{found:.2g}"

    return show


def cost(spec: CostSpec) -> Callable[[Entry], str]:
    """A cost in its unit."""
    if spec.unit == "B":
        return lambda entry: size(entry.cost(spec.name))
    if spec.unit == "s":
        return lambda entry: seconds(entry, spec.name, spec.digits)
    return flops(spec.name) if spec.unit == "FLOP" else lambda entry: number(entry.cost(spec.name), spec.digits)


def seconds(entry: Entry, name: str, digits: int) -> str:
    """A cost in seconds, marked where it was measured beside other cells."""
    said = number(entry.cost(name), digits)
    return f"{said} {BESIDE}" if entry.beside and said != NOTHING else said


def coverage(entry: Entry) -> str:
    """In per cent."""
    return NOTHING if entry.coverage is None else f"{entry.coverage:.0%}"


def whole_name(entry: Entry, most: int) -> str:
    """The label; one longer than `most` letters with its settings on lines of their own, which are folded there."""
    if len(entry.label) <= most:
        return entry.label
    settings = [visible(f"{key}={value}") for key, value in entry.settings.items()]
    folded = [
        line
        for text in settings
        for line in textwrap.wrap(text, max(most, 20), initial_indent=_INDENT, subsequent_indent=2 * _INDENT)
    ]
    return "\n".join([visible(marked_name(entry.title or entry.method, entry)), *folded])


def marked_name(text: str, entry: Entry) -> str:
    """With what else a reader of one line has to know: that it is a yardstick."""
    return f"{text} ({_MARKS.get(entry.mark, entry.mark)})" if entry.mark else text
