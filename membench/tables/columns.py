"""The columns of the human-readable tables: what each shows, under which head, and how to read it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from membench.statistics.intervals import FEWEST
from membench.tables.entry import Entry
from membench.tables.formatting import (
    FEW,
    NOTHING,
    above_floor,
    cost,
    coverage,
    difference,
    estimate,
    flops,
    gain,
    group,
    in_bytes,
    mde,
    metric,
    need,
    number,
    plain,
    recovery,
)
from membench.tables.risk_card import DETAILS, PREFIX, RISK_METRICS, RISKS, beside
from membench.views import SCORES

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


RISK, DETAIL, MEMORY, TIME, REST = "risk card", "contamination, more", "memory", "over time", "answers and cost"

COLUMNS: Sequence[Column] = (
    Column(MEMORY, "recall@1", "share of gold items that are the first of the recommended list", metric("recall@1")),
    Column(MEMORY, "recall@5", "share of gold items among the first 5 of the list", metric("recall@5")),
    Column(MEMORY, "rec@5", "the same, items that were not mentioned before", metric("recall@5/rec")),
    Column(MEMORY, "dis@5", "the same, items that were mentioned before", metric("recall@5/dis")),
    Column(
        MEMORY, "placebo@5", "recall@5 where the dialogue that teaches it is not written", metric("recall@5/placebo")
    ),
    Column(MEMORY, "recall@10", "share of gold items among the first 10", metric("recall@10")),
    Column(MEMORY, "recall@20", "share of gold items among the first 20", metric("recall@20")),
    Column(MEMORY, "ndcg@5", "1 / log2(rank + 1) of gold items among the first 5, else 0", plain("ndcg@5")),
    Column(MEMORY, "ndcg@20", "the same, among the first 20", plain("ndcg@20")),
    Column(MEMORY, "mrr", "mean of 1 / rank of gold items in the list, 0 if absent", plain("mrr")),
    Column(
        MEMORY,
        "valid",
        "share of answers that are a list of at least half the titles asked for; where it is 0, recall says nothing "
        "about memory",
        plain("valid"),
    ),
    Column(MEMORY, "titles", "different items recommended in an answer", plain("titles")),
    Column(MEMORY, "distinct", "different items recommended in all answers together", plain("distinct")),
    Column(MEMORY, "mrr mc", "mean of 1 / rank of the gold item among sampled items; a likelihood", plain("mrr_mc")),
    *(Column(RISK, risk.head, risk.help, partial(beside, risk, estimate, number)) for risk in RISKS),
    *(Column(DETAIL, risk.head, risk.help, partial(beside, risk, estimate, number)) for risk in DETAILS),
    Column(
        MEMORY,
        "contains",
        "share of answers that contain the gold answer as whole words, context written",
        metric("contains"),
    ),
    Column(MEMORY, "group", "methods that share a letter are not resolved: the data do not rank them", group),
    Column(MEMORY, "difference", "to the method named by --against; * where it is resolved", difference),
    Column(
        MEMORY,
        "MDE",
        "minimum detectable effect: the true difference to the best of the others, or to the method named, that would "
        "be resolved with 80 % power",
        mde,
    ),
    Column(MEMORY, "rehearsed", "the same, facts that target sentences repeat", metric("contains/rehearsed")),
    Column(
        MEMORY,
        "recovery",
        "(score − floor) / (reference − floor), rehearsed facts if told apart, else all; may exceed 1; "
        "empty where the reference is not significantly above the floor",
        recovery("contains"),
    ),
    Column(MEMORY, "unrehearsed", "facts that no target sentence repeats", metric("contains/unrehearsed")),
    Column(MEMORY, "placebo", "the same questions while their context is not written", plain("contains/placebo")),
    Column(
        MEMORY,
        "gain",
        "knowledge gain: contains − placebo; paired by context where the task asks the same questions both ways (over "
        "the contexts that were), else of two groups of contexts (Welch)",
        gain("contains"),
    ),
    Column(
        MEMORY,
        "need",
        "contains, on the questions that need the memory: the floor has the fact wrong in every phrasing, the "
        "reference the question right (how many, of how many about written contexts)",
        need,
    ),
    Column(
        MEMORY,
        "near",
        "contains, on questions of which 75 % of the words or more stand in one target sentence",
        metric("contains/near"),
    ),
    Column(MEMORY, "mid", "the same, 50 to 75 %", metric("contains/mid")),
    Column(MEMORY, "far", "the same, less than 50 %", metric("contains/far")),
    Column(MEMORY, "F1", "token F1 with the gold answer (SQuAD)", plain("f1")),
    Column(MEMORY, "F1 placebo", "F1 while the context is not written: the part that is format", plain("f1/placebo")),
    Column(
        MEMORY,
        "margin",
        "log-probability of the gold answer − of the best typed distractor, nats per token; a likelihood",
        plain("margin"),
    ),
    Column(MEMORY, "margin recovery", "recovery of the margin, same facts as recovery", recovery("margin")),
    Column(MEMORY, "acc mc", "share of questions with margin > 0; a likelihood", plain("acc_mc")),
    Column(MEMORY, "fid F1", "fidelity: F1 with the in-context reference's own answer", plain("fidelity_f1")),
    Column(MEMORY, "fid KL", "fidelity: KL to the reference, nats per token of its answer", plain("fidelity_kl")),
    Column(TIME, "final", "contains after the last write, all contexts", metric("contains/final")),
    Column(TIME, "final rehearsed", "the same, rehearsed facts", metric("contains/final-rehearsed")),
    Column(
        TIME,
        "kept",
        "first half of the contexts: final score / score just after writing, rehearsed facts if told apart",
        metric("kept:contains-rehearsed", "kept:contains"),
    ),
    Column(TIME, "retention", "score / score just after writing, oldest quarter of ages", metric("retention:contains")),
    Column(
        TIME,
        "half-life",
        "further writes until half of contains − floor just after writing is gone [ends of an interval over contexts, "
        "age by age]; >n: beyond the n that the data tell of",
        lambda entry: str(entry.half_life or NOTHING),
    ),
    Column(TIME, "forgetting", "best score since writing − final score", metric("forgetting:contains")),
    Column(
        TIME,
        "forward",
        "score just before the own write − floor; what is not 0 is no memory",
        above_floor("forward:contains", "contains/all"),
    ),
    Column(REST, "EM", "exact match (SQuAD)", plain("em")),
    Column(REST, "capped", "contains, in the first 3·|gold| + 5 words", plain("contains_capped")),
    Column(REST, "exclusive", "contains, and no typed distractor is named", plain("exclusive")),
    Column(REST, "words", "words an answer", plain("words")),
    Column(REST, "cut", "share of answers that reached the token limit", plain("truncated")),
    Column(REST, "write s", "seconds a context to write", cost("write_seconds_per_context", 2)),
    Column(
        REST,
        "write FLOP",
        "analytic, a context: 2P a token that the model reads or generates, 4P trained (less where only upper layers "
        "are); an encoder's are left out",
        flops(WRITE_FLOPS),
    ),
    Column(REST, "trained", "tokens trained on, a context", cost("tokens_trained_per_context", 0)),
    Column(REST, "read s", "seconds a question to answer and score", cost("read_seconds_per_question", 3)),
    Column(REST, "read", "tokens read, a question (answering and scoring)", cost("tokens_read_per_question", 0)),
    Column(REST, "read FLOP", "analytic, a question", flops("read_flops_per_question")),
    Column(
        REST,
        "dropped",
        "tokens of the memory's texts that found no room before a question",
        cost("tokens_cut_per_question", 0),
    ),
    Column(REST, "regime", "tokens streamed over the local window; up to 1 it is full attention", cost("regime", 2)),
    Column(REST, "forget s", "seconds a context to forget", cost("forget_seconds_per_context", 2)),
    Column(REST, "state", "bytes of the memory, a context", in_bytes("state_bytes_per_context")),
    Column(
        REST,
        "marginal",
        "bytes that one more context adds: slope over memory sizes, within episodes",
        in_bytes("marginal_bytes_per_context"),
    ),
    Column(
        REST,
        "live",
        "most bytes beside the model while a question is answered: keys and values of recalled tokens or of a prefix, "
        "adapter",
        in_bytes("live_bytes"),
    ),
    Column(
        REST,
        "peak",
        "most bytes in use while the cell was played, model and program included; on a GPU, allocated there",
        in_bytes("cell_peak_bytes"),
    ),
    Column(REST, "growth", "bytes that a deployment adds; 0 for merged weights", in_bytes("deployed_growth_bytes")),
    Column(
        REST,
        "front",
        "not dominated in contains (or recall@k, or the metric that sorts) against b: state, w: write s, r: read s",
        lambda entry: entry.front or NOTHING,
    ),
    Column(
        REST,
        "overlap leak",
        "share of questions that target sentences ask in the same words, or share 8 words in a row with",
        lambda entry: number(entry.leak),
    ),
    Column(REST, "coverage", "share of the asked questions that were answered", coverage),
)


def columns_for(entries: Sequence[Entry]) -> list[Column]:
    """The columns in which any entry shows something, and one for each metric of a task that membench does not know."""
    names = dict.fromkeys(name for entry in entries for name in entry.names)
    others = [Column(MEMORY, name.removesuffix("/all"), "", metric(name)) for name in names if not _known(name)]
    return [c for c in (*others, *COLUMNS) if any(c.show(entry) != NOTHING for entry in entries)]


def sections(entries: Sequence[Entry]) -> dict[str, list[Column]]:
    """The columns by the table they stand in, tables in the order of print."""
    found: dict[str, list[Any]] = {}
    for column in columns_for(entries):
        found.setdefault(column.section, []).append(column)
    return {name: found[name] for name in (RISK, DETAIL, MEMORY, TIME, REST) if name in found}


def columns_help() -> str:
    """How to read the columns, as a markdown list."""
    lines = [
        "± is half the width of a 95 % interval over contexts (Student's t; with several seeds, over both; of a ratio "
        "by jackknife below 30 contexts, by studentised bootstrap from there on, of several seeds by the delta "
        f"method); {FEW} stands for one over fewer than {FEWEST} contexts."
    ]
    lines += [f"- **{column.head}**: {column.help}." for column in COLUMNS]
    return "\n".join(lines)


def _known(name: str) -> bool:
    return name.partition("/")[0] in (*SCORES, *RISK_METRICS) or name.startswith(_BUILT_IN)
