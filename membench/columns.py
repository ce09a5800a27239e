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
_BUILT_IN = (
    "matrix:", "retention:", "forgetting:", "forward:", "kept:",
    "recall@", "ndcg@", "mrr", "valid/", "titles/", "distinct/", PREFIX,
)  # fmt: skip
WRITE_FLOPS = "write_flops_per_context"


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


def size(value: float | None) -> str:
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


def _group(entry: Entry) -> str:
    return (entry.standing and entry.standing.group) or NOTHING


def _difference(entry: Entry) -> str:
    """To the declared method; a star where it is resolved."""
    s = entry.standing
    if s is None or s.group is not None:
        return NOTHING
    return f"{s.difference:+.2f} ±{s.high - s.difference:.2f}{' *' if s.resolved else ''}"


def _mde(entry: Entry) -> str:
    return _number(entry.standing.mde if entry.standing else None)


def _need(entry: Entry) -> str:
    shown = _metric("contains/need")(entry)
    return shown if entry.needed is None or shown == NOTHING else f"{shown} ({entry.needed[0]}/{entry.needed[1]})"


def _flops(name: str) -> Callable[[Entry], str]:
    def show(entry: Entry) -> str:
        found = entry.cost(name)
        return NOTHING if found is None else f"{found:.2g}"

    return show


def _cost(name: str, digits: int) -> Callable[[Entry], str]:
    return lambda entry: _number(entry.cost(name), digits)


def _bytes(name: str) -> Callable[[Entry], str]:
    return lambda entry: size(entry.cost(name))


def _coverage(entry: Entry) -> str:
    return NOTHING if entry.coverage is None else f"{entry.coverage:.0%}"


RISK, MEMORY, TIME, REST = "risk card", "memory", "over time", "answers and cost"

COLUMNS: Sequence[Column] = (
    Column(MEMORY, "recall@1", "share of gold items that are the first of the recommended list", _metric("recall@1")),
    Column(MEMORY, "recall@5", "share of gold items among the first 5 of the list", _metric("recall@5")),
    Column(MEMORY, "rec@5", "the same, items that were not mentioned before", _metric("recall@5/rec")),
    Column(MEMORY, "dis@5", "the same, items that were mentioned before", _metric("recall@5/dis")),
    Column(
        MEMORY, "placebo@5", "recall@5 where the dialogue that teaches it is not written", _metric("recall@5/placebo")
    ),
    Column(MEMORY, "recall@10", "share of gold items among the first 10", _metric("recall@10")),
    Column(MEMORY, "recall@20", "share of gold items among the first 20", _metric("recall@20")),
    Column(MEMORY, "ndcg@5", "1 / log2(rank + 1) of gold items among the first 5, else 0", _plain("ndcg@5")),
    Column(MEMORY, "ndcg@20", "the same, among the first 20", _plain("ndcg@20")),
    Column(MEMORY, "mrr", "mean of 1 / rank of gold items in the list, 0 if absent", _plain("mrr")),
    Column(
        MEMORY,
        "valid",
        "share of answers that are a list of at least half the titles asked for; where it is 0, recall says nothing "
        "about memory",
        _plain("valid"),
    ),
    Column(MEMORY, "titles", "different items recommended in an answer", _plain("titles")),
    Column(MEMORY, "distinct", "different items recommended in all answers together", _plain("distinct")),
    Column(MEMORY, "mrr mc", "mean of 1 / rank of the gold item among sampled items; a likelihood", _plain("mrr_mc")),
    *(Column(RISK, risk.head, risk.help, partial(beside, risk, _estimate, _number)) for risk in RISKS),
    Column(MEMORY, "contains", "share of answers that contain the gold answer, context written", _metric("contains")),
    Column(MEMORY, "group", "methods that share a letter are not resolved: the data do not rank them", _group),
    Column(MEMORY, "difference", "to the method named by --against; * where it is resolved", _difference),
    Column(
        MEMORY,
        "MDE",
        "minimum detectable effect: the true difference to the best of the others, or to the method named, that would "
        "be resolved with 80 % power",
        _mde,
    ),
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
    Column(
        MEMORY,
        "need",
        "contains, on the questions that need the memory: the floor has the fact wrong in every phrasing, the "
        "reference the question right (how many, of how many)",
        _need,
    ),
    Column(
        MEMORY,
        "near",
        "contains, on questions of which 75 % of the words or more stand in one target sentence",
        _metric("contains/near"),
    ),
    Column(MEMORY, "mid", "the same, 50 to 75 %", _metric("contains/mid")),
    Column(MEMORY, "far", "the same, less than 50 %", _metric("contains/far")),
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
    Column(
        TIME,
        "half-life",
        "further writes until half of contains − floor just after writing is gone [ends of an interval over contexts, "
        "age by age]; >n: beyond the n that the data tell of",
        lambda entry: str(entry.half_life or NOTHING),
    ),
    Column(TIME, "forgetting", "best score since writing − final score", _metric("forgetting:contains")),
    Column(TIME, "forward", "score just before the own write; what is not 0 is no memory", _metric("forward:contains")),
    Column(REST, "EM", "exact match (SQuAD)", _plain("em")),
    Column(REST, "capped", "contains, in the first 3·|gold| + 5 words", _plain("contains_capped")),
    Column(REST, "exclusive", "contains, and no typed distractor is named", _plain("exclusive")),
    Column(REST, "words", "words an answer", _plain("words")),
    Column(REST, "cut", "share of answers that reached the token limit", _plain("truncated")),
    Column(REST, "write s", "seconds a context to write", _cost("write_seconds_per_context", 2)),
    Column(REST, "write FLOP", "analytic, a context: 2P a token read or generated, 4P trained", _flops(WRITE_FLOPS)),
    Column(REST, "trained", "tokens trained on, a context", _cost("tokens_trained_per_context", 0)),
    Column(REST, "read s", "seconds a question to answer and score", _cost("read_seconds_per_question", 3)),
    Column(REST, "read", "tokens read, a question (answering and scoring)", _cost("tokens_read_per_question", 0)),
    Column(REST, "read FLOP", "analytic, a question", _flops("read_flops_per_question")),
    Column(
        REST,
        "dropped",
        "tokens of the memory's texts that found no room before a question",
        _cost("tokens_cut_per_question", 0),
    ),
    Column(REST, "regime", "tokens streamed over the local window; up to 1 it is full attention", _cost("regime", 2)),
    Column(REST, "forget s", "seconds a context to forget", _cost("forget_seconds_per_context", 2)),
    Column(REST, "state", "bytes of the memory, a context", _bytes("state_bytes_per_context")),
    Column(
        REST,
        "marginal",
        "bytes that one more context adds: slope over memory sizes",
        _bytes("marginal_bytes_per_context"),
    ),
    Column(
        REST,
        "live",
        "most bytes beside the model while a question is answered: keys and values of recalled tokens or of a prefix, "
        "adapter",
        _bytes("live_bytes"),
    ),
    Column(REST, "growth", "bytes that a deployment adds; 0 for merged weights", _bytes("deployed_growth_bytes")),
    Column(
        REST,
        "front",
        "not dominated in contains (or the metric that sorts) against b: state, w: write s, r: read s",
        lambda entry: entry.front or NOTHING,
    ),
    Column(
        REST,
        "leak",
        "share of questions that target sentences ask in the same words, or share 8 words in a row with",
        lambda entry: _number(entry.leak),
    ),
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
    lines = [
        "± is half the width of a 95 % interval over contexts (Student's t; with several seeds, over both; of a ratio "
        "by jackknife below 30 contexts, by studentised bootstrap from there on)."
    ]
    lines += [f"- **{column.head}**: {column.help}." for column in COLUMNS]
    return "\n".join(lines)


def _known(name: str) -> bool:
    return name.partition("/")[0] in (*SCORES, *RISK_METRICS) or name.startswith(_BUILT_IN)
