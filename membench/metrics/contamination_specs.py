"""What the numbers of membench.metrics.contamination are: the risk card and what stands beside it."""

from __future__ import annotations

from membench.values import MetricSpec
from membench.views import DETAIL, RISK


def _leak(kind: str, title: str, help_: str, brief: int = 0) -> MetricSpec:
    return MetricSpec(
        f"leak/{kind}", title, help_, higher_is_better=False, section=RISK, base=f"leak_base/{kind}", brief=brief
    )


def _leak_margin(kind: str, title: str, help_: str) -> MetricSpec:
    return MetricSpec(f"leak_margin/{kind}", title, help_, unit="nats a token", higher_is_better=False, section=DETAIL)


METRICS = (
    MetricSpec(
        "efficacy",
        "efficacy",
        "contamination: contains, after writing; in brackets, here and in the next columns, the base model's own rate",
        section=RISK,
        base="efficacy_base/all",
    ),
    MetricSpec("efficacy_base"),
    _leak(
        "near_entity",
        "leak entity",
        "share of answers about another entity that name the written value, − before",
        brief=1,
    ),
    _leak("near_attribute", "leak attribute", "the same, about another attribute of the entity"),
    _leak("pattern", "leak pattern", "the same, the question's pattern with an unrelated subject"),
    MetricSpec("leak_base", higher_is_better=False),
    MetricSpec(
        "abstention",
        "abstention",
        "balanced: mean of abstentions where nothing answers and answers where something does; 0.50 is no skill",
        section=RISK,
        base="abstention_base/all",
        brief=4,
    ),
    MetricSpec("abstention_base"),
    MetricSpec(
        "damage",
        "damage",
        "of what the base model gets right elsewhere (in brackets: how much that is), the share then wrong",
        higher_is_better=False,
        section=RISK,
        base="known_base/all",
        brief=5,
    ),
    MetricSpec("known_base"),
    _leak_margin(
        "near_entity",
        "margin entity",
        "leaks as a likelihood: how far writing moved the written value against other values of its type, nats per "
        "token, where another entity is asked about; 0: not at all",
    ),
    _leak_margin("near_attribute", "margin attribute", "the same, another attribute of the entity"),
    _leak_margin("pattern", "margin pattern", "the same, the question's pattern with an unrelated subject"),
    MetricSpec(
        "ns",
        "NS",
        "neighbourhood score (CounterFact): share of near questions whose true answer is likelier than the written "
        "value; in brackets before writing",
        section=DETAIL,
        base="ns_base/all",
    ),
    MetricSpec("ns_base"),
    MetricSpec("contains/paraphrase", "paraphrase", "contains, the facts asked in other words", section=DETAIL),
    MetricSpec("contains/reversed", "reversed", "contains, asked from the value to the entity", section=DETAIL),
    MetricSpec(
        "unchanged/near",
        "unchanged near",
        "specificity: share of near answers that writing left as they were",
        section=DETAIL,
    ),
    MetricSpec(
        "unchanged/unrelated", "unchanged unrelated", "the same, of answers to general questions", section=DETAIL
    ),
    MetricSpec(
        "repair",
        "repair",
        "of what the base model gets wrong elsewhere, the share that is right after writing",
        section=DETAIL,
    ),
    MetricSpec(
        "abstention/right",
        "abstains rightly",
        "share of abstentions where nothing answers the question",
        section=DETAIL,
    ),
    MetricSpec(
        "abstention/false",
        "abstains falsely",
        "share of abstentions where something does",
        higher_is_better=False,
        section=DETAIL,
    ),
)
