"""After how many questions one memory's writing has paid for itself against another's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from membench.statistics.intervals import Interval
from membench.statistics.ratios import ratio_ci


class Span(NamedTuple):
    """One stretch of writing and the asking that follows it: seconds and how many of what."""

    write_seconds: float
    contexts: int
    read_seconds: float
    questions: int


def spans(records: Iterable[Mapping[str, Any]]) -> list[Span]:
    """The clusters that costs vary over, in the order of play."""
    out: list[Span] = []
    before = "ask"
    for r in records:
        if r["type"] == "answer":
            continue
        if r["type"] != "ask" and before == "ask":
            out.append(Span(0.0, 0, 0.0, 0))
        last = out.pop() if out else Span(0.0, 0, 0.0, 0)
        if r["type"] == "ask":
            read = r.get("read", r["questions"])
            last = last._replace(read_seconds=last.read_seconds + r["seconds"], questions=last.questions + read)
        else:
            count = len(r["contexts"]) if r["type"] == "write" else 0
            last = last._replace(write_seconds=last.write_seconds + r["seconds"], contexts=last.contexts + count)
        out.append(last)
        before = r["type"]
    return out


def amortised(write: float, read: float, questions: float) -> float:
    """C(N) = W + N·q: what a context costs with the questions that are asked of it."""
    return write + questions * read


class BreakEven(NamedTuple):
    """From how many questions a context on the dearer writer costs less; a line that says why, where it cannot be told.

    An interval without ends: the costs vary over one stretch of play alone.
    """

    questions: Interval | None
    why: str | None


def break_even(a: Sequence[Span], b: Sequence[Span]) -> BreakEven:
    """(W_A - W_B) / (q_B - q_A) in seconds, over the stretches that both have played, in their order."""
    both = zip(a, b, strict=False)
    rated = [(x, y) for x, y in both if x.contexts and y.contexts and x.questions and y.questions]
    writes = [x.write_seconds / x.contexts - y.write_seconds / y.contexts for x, y in rated]
    reads = [y.read_seconds / y.questions - x.read_seconds / x.questions for x, y in rated]
    if not rated:
        return BreakEven(None, "one of them was not asked after a write")
    if sum(writes) * sum(reads) <= 0:
        return BreakEven(None, "one writes and reads no dearer than the other")
    sign = 1.0 if sum(reads) > 0 else -1.0
    if len(rated) < 2:
        return BreakEven(Interval(writes[0] / reads[0], None, None), None)
    found = ratio_ci([sign * w for w in writes], [sign * r for r in reads])
    return BreakEven(found, None if found else "which one reads cheaper is not resolved")
