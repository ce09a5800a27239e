"""The risk card: what a memory does to what it should leave alone, one row a method (docs/contamination.md).

Each number stands with its interval over contexts and, in brackets, the base model's own rate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from membench.statistics.intervals import Interval
from membench.tables.entry import Entry

PREFIX = "control:"  # of metrics that are a row of their own: "control:ROW:METRIC/VIEW"


@dataclass(frozen=True)
class Risk:
    """A column: its head, how to read it, the metrics that it may show (the first there is), and their base rates."""

    head: str
    help: str
    names: tuple[str, ...]
    bases: tuple[str, ...] = ()


def _conflict(class_: str, help_: str) -> Risk:
    names = tuple(f"{name}/{class_}" for name in ("conflict", "prior_conflict"))
    return Risk(f"conflict {class_}", help_, names, tuple(name.replace("/", "_base/") for name in names))


def _leak(head: str, kind: str, help_: str) -> Risk:
    return Risk(head, help_, (f"leak/{kind}",), (f"leak_base/{kind}",))


RISKS: Sequence[Risk] = (
    Risk(
        "efficacy",
        "contamination: contains, after writing; in brackets, here and in the next columns, the base model's own rate",
        ("efficacy/all",),
        ("efficacy_base/all",),
    ),
    _leak("leak entity", "near_entity", "share of answers about another entity that name the written value, − before"),
    _leak("leak attribute", "near_attribute", "the same, about another attribute of the entity"),
    _leak("leak pattern", "pattern", "the same, the question's pattern with an unrelated subject"),
    _conflict("new", "two dated texts disagree, or a text and the model: the newer value alone is named"),
    _conflict("old", "the older value alone"),
    _conflict("both", "both values: a hedge"),
    _conflict("neither", "neither value"),
    Risk(
        "abstention",
        "balanced: mean of abstentions where nothing answers and answers where something does; 0.50 is no skill",
        ("abstention/all",),
        ("abstention_base/all",),
    ),
    Risk(
        "damage",
        "of what the base model gets right elsewhere (in brackets: how much that is), the share then wrong",
        ("damage/all",),
        ("known_base/all",),
    ),
    Risk(
        "drift_ppl",
        "perplexity of held-out generic text with the memory / without; 1: none; ± over the texts",
        ("drift_ppl/all",),
    ),
    Risk(
        "drift_kl", "KL of the model without memory to the one with it, same texts, nats per token", ("drift_kl/all",)
    ),
    Risk(
        "flips",
        "of test items right without the memory, the share that its presence turns wrong, in-context too; ± over items",
        ("flips/all",),
    ),
)


RISK_METRICS = frozenset(
    {name.partition("/")[0] for risk in RISKS for name in (*risk.names, *risk.bases)}
    | {"leak_margin", "unchanged", "repair", "repairs", "recency", "consistency", "attribution", "conflict_swapped"}
    | {"conflict_margin", "prior_conflict_margin", "ns", "ns_base", "suite_acc", "suite_acc_base"}
)


def beside(
    risk: Risk,
    estimate: Callable[[Interval | None, int | None], str],
    number: Callable[[float | None], str],
    entry: Entry,
) -> str:
    """An estimate with the base model's own rate in brackets, as a cell of a table."""
    shown, contexts = next(
        ((i, entry.clusters(name)) for name in risk.names if (i := entry.interval(name))), (None, None)
    )
    base = next((v for name in risk.bases if (v := entry.value(name)) is not None), None)
    return estimate(shown, contexts) + (f" ({number(base)})" if shown and base is not None else "")


def control_rows(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Rows that no method played but the same questions give, e.g. "always abstains"; of the first entry with any."""
    first = next((entry for entry in entries if any(name.startswith(PREFIX) for name in entry.names)), None)
    if first is None:
        return ()
    rows = dict.fromkeys(name.split(":")[1] for name in first.names if name.startswith(PREFIX))
    return tuple(_control(first, row) for row in rows)


def _control(entry: Entry, row: str) -> Entry:
    start = f"{PREFIX}{row}:"
    own = [{n.removeprefix(start): m for n, m in s.items() if n.startswith(start)} for s in entry.summaries]
    return replace(
        entry, method=row, settings={}, seeds=entry.seeds[:1], ids=(), summaries=tuple(own[:1]), floor={}, reference={},
        costs={}, coverage=None, mark="control", title=None,
    )  # fmt: skip


def _margin(head: str, kind: str, help_: str) -> Risk:
    return Risk(head, help_, (f"leak_margin/{kind}",))


def _new(tercile: str, help_: str) -> Risk:
    return Risk(f"new {tercile}", help_, tuple(f"{name}/new-{tercile}" for name in ("conflict", "prior_conflict")))


DETAILS: Sequence[Risk] = (
    _margin(
        "margin entity",
        "near_entity",
        "leaks as a likelihood: how far writing moved the written value against other values of its type, nats per "
        "token, where another entity is asked about; 0: not at all",
    ),
    _margin("margin attribute", "near_attribute", "the same, another attribute of the entity"),
    _margin("margin pattern", "pattern", "the same, the question's pattern with an unrelated subject"),
    Risk(
        "NS",
        "neighbourhood score (CounterFact): share of near questions whose true answer is likelier than the written "
        "value; in brackets before writing",
        ("ns/all",),
        ("ns_base/all",),
    ),
    Risk("paraphrase", "contains, the facts asked in other words", ("contains/paraphrase",)),
    Risk("reversed", "contains, asked from the value to the entity", ("contains/reversed",)),
    Risk("unchanged near", "specificity: share of near answers that writing left as they were", ("unchanged/near",)),
    Risk("unchanged unrelated", "the same, of answers to general questions", ("unchanged/unrelated",)),
    Risk(
        "repair", "of what the base model gets wrong elsewhere, the share that is right after writing", ("repair/all",)
    ),
    Risk("abstains rightly", "share of abstentions where nothing answers the question", ("abstention/right",)),
    Risk("abstains falsely", "share of abstentions where something does", ("abstention/false",)),
    Risk(
        "conflict margin",
        "how far writing moved the likelihood of the newer value against the older one, nats per token",
        ("conflict_margin/all", "prior_conflict_margin/all"),
    ),
    *(
        Risk(f"swapped {name}", help_, (f"conflict_swapped/{name}",))
        for name, help_ in (
            ("new", "as conflict new, with the newer text written first: one who follows dates has the same"),
            ("old", "the older value alone, then"),
            ("both", "both values, then"),
            ("neither", "neither value, then"),
        )
    ),
    Risk(
        "recency", "conflict new − swapped new; 1: what is written last wins, 0: the order is nothing", ("recency/all",)
    ),
    Risk("consistency", "share of conflicts whose phrasings all get the same class", ("consistency/all",)),
    Risk(
        "attribution",
        'share of "according to …" questions answered with that source\'s value alone',
        ("attribution/all",),
    ),
    Risk("attribution old", "the same, the older source", ("attribution/old",)),
    Risk("attribution new", "the same, the newer source", ("attribution/new",)),
    _new("weak", "conflict new, the third of the questions where the base model believes least in the older value"),
    _new("middle", "the same, the middle third"),
    _new("strong", "the same, the third where it believes most in it"),
    Risk("repairs", "of test items wrong without the memory, the share that is right with it", ("repairs/all",)),
    Risk(
        "suite acc",
        "share of test items that are right with the memory (in brackets: without; 1 where only known items are kept)",
        ("suite_acc/all",),
        ("suite_acc_base/all",),
    ),
)
