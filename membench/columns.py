"""The columns of the human-readable tables: what each shows, under which head, and how to read it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from membench.entry import Entry
from membench.risk_card import PREFIX, RISK_METRICS, RISKS, beside
from membench.stats import Interval
from membench.views import SCORES

NOTHING = "–"
_BUILT_IN = ("matrix:", "retention:", "forgetting:", "forward:", "kept:", PREFIX)


@dataclass(frozen=True)
class Column:
    """A head, how to read what stands below it, and what an entry has to show there; `section` is its table."""

    section: str
    head: str
    help: str
    show: Callable[[Entry], str]


def _number(value: float | None, digits: int = 2) -> str:
    return NOTHING if value is None else f"{value:z.{digits}f}"  # z: no "-0.00"


def _estimate(found: Interval | None) -> str:
    if found is None:
        return NOTHING
    return _number(found.value) + ("" if found.high is None else f" ±{found.high - found.value:.2f}")


def _size(value: float | None) -> str:
    """Bytes with a unit of 1000s."""
    if value is None:
        return NOTHING
    for unit in ("B", "kB", "MB"):
        if abs(value) < 999.5:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} GB"


def _metric(*names: str) -> Callable[[Entry], str]:
    """The first of these metrics that there is, with its interval."""
    return lambda entry: next((_estimate(i) for n in names if (i := entry.interval(n))), NOTHING)


def _plain(name: str) -> Callable[[Entry], str]:
    return lambda entry: _number(entry.value(name))


def _recovery(score: str) -> Callable[[Entry], str]:
    """Of rehearsed facts where the data says which these are, else of all."""

    def show(entry: Entry) -> str:
        view = "rehearsed" if f"{score}/rehearsed" in entry.names else "all"
        return _estimate(entry.recovery(f"{score}/{view}"))

    return show


def _cost(name: str, digits: int) -> Callable[[Entry], str]:
    return lambda entry: _number(entry.cost(name), digits)


def _bytes(name: str) -> Callable[[Entry], str]:
    return lambda entry: _size(entry.cost(name))


def _coverage(entry: Entry) -> str:
    return NOTHING if entry.coverage is None else f"{entry.coverage:.0%}"


RISK, MEMORY, TIME, REST = "risk card", "memory", "over time", "answers and cost"

COLUMNS: Sequence[Column] = (
    *(Column(RISK, risk.head, risk.help, partial(beside, risk, _estimate, _number)) for risk in RISKS),
    Column(MEMORY, "contains", "share of answers that contain the gold answer, context written", _metric("contains")),
    Column(MEMORY, "rehearsed", "the same, facts that target sentences repeat", _metric("contains/rehearsed")),
    Column(
        MEMORY,
        "recovery",
        "(score − floor) / (reference − floor), rehearsed facts if told apart, else all; may exceed 1; "
        "empty where the reference is not significantly above the floor",
        _recovery("contains"),
    ),
    Column(MEMORY, "unrehearsed", "facts that no target sentence repeats", _metric("contains/unrehearsed")),
    Column(MEMORY, "placebo", "the same questions while their context is not written", _plain("contains/placebo")),
    Column(
        MEMORY,
        "gain",
        "knowledge gain: contains − placebo; paired by context where the task asks the same questions both ways",
        lambda entry: _estimate(entry.gain("contains")),
    ),
    Column(MEMORY, "F1", "token F1 with the gold answer (SQuAD)", _plain("f1")),
    Column(MEMORY, "F1 placebo", "F1 while the context is not written: the part that is format", _plain("f1/placebo")),
    Column(
        MEMORY,
        "margin",
        "log-probability of the gold answer − of the best typed distractor, nats per token; a likelihood",
        _plain("margin"),
    ),
    Column(MEMORY, "margin recovery", "recovery of the margin, same facts as recovery", _recovery("margin")),
    Column(MEMORY, "acc mc", "share of questions with margin > 0; a likelihood", _plain("acc_mc")),
    Column(MEMORY, "fid F1", "fidelity: F1 with the in-context reference's own answer", _plain("fidelity_f1")),
    Column(MEMORY, "fid KL", "fidelity: KL to the reference, nats per token of its answer", _plain("fidelity_kl")),
    Column(TIME, "final", "contains after the last write, all contexts", _metric("contains/final")),
    Column(TIME, "final rehearsed", "the same, rehearsed facts", _metric("contains/final-rehearsed")),
    Column(
        TIME,
        "kept",
        "first half of the contexts: final score / score just after writing, rehearsed facts if told apart",
        _metric("kept:contains-rehearsed", "kept:contains"),
    ),
    Column(
        TIME, "retention", "score / score just after writing, oldest quarter of ages", _metric("retention:contains")
    ),
    Column(TIME, "forgetting", "best score since writing − final score", _metric("forgetting:contains")),
    Column(TIME, "forward", "score just before the own write; what is not 0 is no memory", _metric("forward:contains")),
    Column(REST, "EM", "exact match (SQuAD)", _plain("em")),
    Column(REST, "capped", "contains, in the first 3·|gold| + 5 words", _plain("contains_capped")),
    Column(REST, "exclusive", "contains, and no typed distractor is named", _plain("exclusive")),
    Column(REST, "words", "words an answer", _plain("words")),
    Column(REST, "cut", "share of answers that reached the token limit", _plain("truncated")),
    Column(REST, "write s", "seconds a context to write", _cost("write_seconds_per_context", 2)),
    Column(REST, "trained", "tokens trained on, a context", _cost("tokens_trained_per_context", 0)),
    Column(REST, "read s", "seconds a question to answer and score", _cost("read_seconds_per_question", 3)),
    Column(REST, "read", "tokens read, a question (answering and scoring)", _cost("tokens_read_per_question", 0)),
    Column(REST, "state", "bytes of the memory, a context", _bytes("state_bytes_per_context")),
    Column(REST, "growth", "bytes that a deployment adds; 0 for merged weights", _bytes("deployed_growth_bytes")),
    Column(REST, "coverage", "share of the asked questions that were answered", _coverage),
)


def columns_for(entries: Sequence[Entry]) -> list[Column]:
    """The columns in which any entry shows something, and one for each metric of a task that membench does not know."""
    names = dict.fromkeys(name for entry in entries for name in entry.names)
    others = [Column(MEMORY, name.removesuffix("/all"), "", _metric(name)) for name in names if not _known(name)]
    return [c for c in (*others, *COLUMNS) if any(c.show(entry) != NOTHING for entry in entries)]


def sections(entries: Sequence[Entry]) -> dict[str, list[Column]]:
    """The columns by the table they stand in, tables in the order of print."""
    found: dict[str, list[Any]] = {}
    for column in columns_for(entries):
        found.setdefault(column.section, []).append(column)
    return {name: found[name] for name in (RISK, MEMORY, TIME, REST) if name in found}


def columns_help() -> str:
    """How to read the columns, as a markdown list."""
    lines = ["± is half the width of a 95 % interval over contexts (Student's t; with several seeds, over both)."]
    lines += [f"- **{column.head}**: {column.help}." for column in COLUMNS]
    return "\n".join(lines)


def _known(name: str) -> bool:
    return name.partition("/")[0] in (*SCORES, *RISK_METRICS) or name.startswith(_BUILT_IN)
