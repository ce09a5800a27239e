"""The columns of the human-readable tables: their order, and those that several metrics make together.

A metric's or a cost's own head and help are declared where it is computed (membench.tables.catalogue).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from membench.plugins import registry
from membench.statistics.intervals import FEWEST
from membench.tables.catalogue import COSTS, METRICS, column_of, declared_by
from membench.tables.control_rows import PREFIX
from membench.tables.entry import Entry
from membench.tables.formatting import (
    BESIDE,
    FEW,
    FEWEST_QUESTIONS,
    NOTHING,
    above_floor,
    cost,
    coverage,
    declared,
    difference,
    gain,
    group,
    mde,
    need,
    number,
    recovery,
)
from membench.values import MetricSpec
from membench.views import ANSWERS, DETAIL, MEMORY, RISK, SECTIONS, TIME


@dataclass(frozen=True)
class Column:
    """A head, how to read what stands below it, and what an entry has to show there; `section` is its table.

    `name` is the metric or cost that it shows; "" where several metrics make it.
    """

    section: str
    head: str
    help: str
    show: Callable[[Entry], str]
    name: str = ""


_DERIVED = {
    column.head: column
    for column in (
        Column(MEMORY, "group", "methods that share a letter are not resolved: the data do not rank them", group),
        Column(MEMORY, "difference", "to the method named by --against; * where it is resolved", difference),
        Column(
            MEMORY,
            "MDE",
            "minimum detectable effect: the true difference to the best of the others, or to the method named, that "
            "would be resolved with 80 % power",
            mde,
        ),
        Column(
            MEMORY,
            "recovery",
            "(contains − floor) / (reference − floor), all facts; may exceed 1; empty where the reference is not "
            "significantly above the floor",
            recovery("contains/all"),
        ),
        Column(MEMORY, "recovery rehearsed", "the same, rehearsed facts alone", recovery("contains/rehearsed")),
        Column(
            MEMORY,
            "gain",
            "knowledge gain: contains − placebo; paired by context where the task asks the same questions both ways "
            "(over the contexts that were), else of two groups of contexts (Welch)",
            gain("contains"),
        ),
        Column(MEMORY, "need", METRICS["contains/need"].help, need),
        Column(MEMORY, "margin recovery", "recovery of the margin, all facts", recovery("margin/all")),
        Column(MEMORY, "margin recovery rehearsed", "the same, rehearsed facts alone", recovery("margin/rehearsed")),
        Column(
            TIME,
            "half-life",
            "further writes until half of contains − floor just after writing is gone [ends of an interval over "
            "contexts, age by age]; >n: beyond the n that the data tell of",
            lambda entry: str(entry.half_life or NOTHING),
        ),
        Column(
            TIME,
            "forward",
            "score just before the own write − floor; what is not 0 is no memory",
            above_floor("forward:contains", "contains/all"),
        ),
        Column(
            ANSWERS,
            "front",
            "not dominated in contains (or recall@k, or the metric that sorts) against b: state, w: write s, r: read s",
            lambda entry: entry.front or NOTHING,
        ),
        Column(
            ANSWERS,
            "overlap leak",
            "share of questions that target sentences ask in the same words, or share 8 words in a row with",
            lambda entry: number(entry.leak),
        ),
        Column(ANSWERS, "coverage", "share of the asked questions that were answered", coverage),
    )
}

# Columns in the order of print, section by section: names of metrics and costs, and heads of what is derived.
_ORDER = (
    "recall@1", "recall@5", "recall@5/rec", "recall@5/dis", "recall@5/placebo", "recall@10", "recall@20",
    "ndcg@5", "ndcg@20", "mrr", "valid", "titles", "distinct", "mrr_mc",
    "efficacy", "leak/near_entity", "leak/near_attribute", "leak/pattern",
    "conflict/new", "conflict/old", "conflict/both", "conflict/neither",
    "abstention", "damage", "drift_ppl", "drift_kl", "flips",
    "leak_margin/near_entity", "leak_margin/near_attribute", "leak_margin/pattern", "ns",
    "contains/paraphrase", "contains/reversed", "unchanged/near", "unchanged/unrelated", "repair",
    "abstention/right", "abstention/false", "conflict_margin",
    "conflict_swapped/new", "conflict_swapped/old", "conflict_swapped/both", "conflict_swapped/neither",
    "recency", "consistency", "attribution", "attribution/old", "attribution/new",
    "conflict/new-weak", "conflict/new-middle", "conflict/new-strong", "repairs", "suite_acc",
    "contains", "group", "difference", "MDE", "recovery", "contains/rehearsed", "recovery rehearsed",
    "contains/unrehearsed", "contains/placebo", "gain", "need", "contains/near", "contains/mid", "contains/far",
    "exact/forgotten", "residual/forgotten", "residual/paraphrased", "residual_margin/forgotten", "contains/forgotten",
    "contains/kept", "loss/kept",
    "composed", "both_hops", "contains/first-hop", "contains/last-hop", "linked", "broken", "distracted",
    "contains/single-session", "contains/multi-session", "contains/temporal", "contains/update", "contains/open-domain",
    "outdated", "misled", "judged", "judged/abstention", "judge_agrees", "judge_right", "judge_vague", "judge_wrong",
    "f1", "f1/placebo", "margin", "margin recovery", "margin recovery rehearsed", "acc_mc",
    "fidelity_f1", "fidelity_kl",
    "contains/final", "contains/final-rehearsed", "kept:contains-rehearsed", "retention:contains",
    "half-life", "forgetting:contains", "forward",
    "em", "contains_capped", "exclusive", "words", "truncated",
    "write_seconds_per_context", "write_flops_per_context", "tokens_trained_per_context",
    "read_seconds_per_question", "tokens_read_per_question", "read_flops_per_question",
    "write_price_per_context", "read_price_per_question", "tokens_cut_per_question", "regime",
    "forget_seconds_per_context", "unforgotten_bytes", "state_bytes_per_context", "marginal_bytes_per_context",
    "live_bytes",
    "cell_peak_bytes", "deployed_growth_bytes", "front", "overlap leak", "coverage",
)  # fmt: skip


def _column(name: str) -> Column:
    if name in _DERIVED:
        return _DERIVED[name]
    if name in COSTS:
        spec = COSTS[name]
        return Column(ANSWERS, spec.title, spec.help, cost(spec), name)
    return of_declaration(METRICS[name])


def of_declaration(spec: MetricSpec) -> Column:
    """The column of a metric as it is declared."""
    return Column(spec.section, spec.title, spec.help, declared(spec), spec.name)


COLUMNS: Sequence[Column] = tuple(map(_column, _ORDER))


def columns_for(entries: Sequence[Entry]) -> list[Column]:
    """The columns in which any entry shows something, with those of metrics that a plug-in's task has of its own."""
    own = list(_own(entries))
    names = {column.name for column in own}
    shared = (column for column in COLUMNS if not column.name or column.name not in names)
    return [c for c in (*own, *shared) if any(c.show(entry) != NOTHING for entry in entries)]


def _own(entries: Sequence[Entry]) -> Iterator[Column]:
    """A column for each metric that the entries' task declares, and for each that nobody does."""
    own = dict.fromkeys(spec for entry in entries for spec in entry.declared)
    yield from (of_declaration(spec) for spec in own if spec.title)
    names = dict.fromkeys(name for entry in entries for name in entry.names if entry.spec(name) is None)
    for name in names:
        if not name.startswith(PREFIX):
            yield of_declaration(MetricSpec(name, name.removesuffix("/all")))


def sections(entries: Sequence[Entry]) -> dict[str, list[Column]]:
    """The columns by the table they stand in, tables in the order of print."""
    found: dict[str, list[Column]] = {}
    for column in columns_for(entries):
        found.setdefault(column.section, []).append(column)
    return {name: found[name] for name in SECTIONS if name in found}


def columns_help() -> str:
    """How to read the columns, as a markdown list; those of installed plug-ins' tasks stand last."""
    lines = [
        "± is half the width of a 95 % interval over contexts, with several seeds over both; where its sides differ, "
        "as near the ends of a share, both ends stand in brackets (shares: Wilson; else Student's t; "
        f"docs/statistics.md); {FEW} stands beside what rests on fewer than {FEWEST} contexts or "
        f"{FEWEST_QUESTIONS} questions; {BESIDE} beside seconds that were measured while other cells were played on "
        "the machine, which are compared with none that were measured alone."
    ]
    own = [of_declaration(spec) for task in registry.names("tasks") for spec in declared_by(task) if spec.title]
    return "\n".join([*lines, *(f"- **{column.head}**: {column.help}." for column in (*COLUMNS, *own))])


__all__ = ["COLUMNS", "DETAIL", "MEMORY", "RISK", "Column", "column_of", "columns_for", "columns_help", "sections"]
