"""What `contamination` measures beside the risk card: the likelihood channel and the parts of its numbers."""

from __future__ import annotations

from collections.abc import Sequence

from membench.risk_card import Risk


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
