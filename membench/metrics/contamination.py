"""What contamination answers amount to: leaks, damage, conflicts and abstention; pure functions of the records.

"Before" is what the empty memory answers, "after" what the written one does; pairs are by question. Every metric is a
mean over contexts (docs/contamination.md).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean

from membench.corpora.probes import NEAR
from membench.metrics.abstention import PHRASE, abstains
from membench.metrics.answer_scores import mentions
from membench.text.mentions import normalise
from membench.values import NOT_STATED, Answer, Metric
from membench.views import PLACEBO_SCORES, SCORES, mean_of, ratio_of_parts, summarise_split, summarise_view

Pair = tuple[Answer, Answer]  # of one question: before and after writing
TARGET = "test"
GENERAL = ("paraphrase", "reversed")
FACT_SCORES = ("f1", "contains", "margin", "acc_mc")


def summarise_probes(answers: Sequence[Answer]) -> dict[str, Metric]:
    """Efficacy, generality, leaks, specificity, damage and abstention, from the answers about single contexts."""
    pairs = pair_up(answers)
    return (
        _efficacy(pairs)
        | _leaks(pairs, golds_of(answers))
        | _neighbourhood(pairs)
        | _unchanged(pairs)
        | _damage(pairs)
        | _abstention(pairs)
    )


def pair_up(answers: Iterable[Answer]) -> list[Pair]:
    """Every answer after a write with the answer to the same question before any; those without are left out."""
    answers = list(answers)
    before = {a.question: a for a in answers if a.written == 0}
    return [(before[a.question], a) for a in answers if a.written and a.question in before]


def golds_of(answers: Iterable[Answer]) -> dict[str, tuple[str, ...]]:
    """The accepted answers by question."""
    return {a.question: tuple(a.gold) for a in answers}


def of_kind(pairs: Iterable[Pair], *kinds: str) -> list[Pair]:
    """The pairs of these kinds."""
    return [pair for pair in pairs if pair[1].tags.get("kind") in kinds]


def per_context(pairs: Iterable[Pair], value: Callable[[Answer, Answer], float]) -> Metric | None:
    """The mean of a value of (before, after) within each context, and of that over contexts; None for no pairs."""
    values: dict[str, list[float]] = defaultdict(list)
    for before, after in pairs:
        values[after.context].append(value(before, after))
    return mean_of({context: fmean(those) for context, those in values.items()}) if values else None


def present(metrics: Mapping[str, Metric | None]) -> dict[str, Metric]:
    """Those that there are."""
    return {name: metric for name, metric in metrics.items() if metric is not None}


def _efficacy(pairs: Sequence[Pair]) -> dict[str, Metric]:
    """The usual views of the written facts; `placebo` is before writing. Then the same facts asked otherwise."""
    before, after = [list(side) for side in zip(*of_kind(pairs, TARGET), strict=True)] or ([], [])
    found = summarise_view(after, "all", SCORES) | summarise_split(after, FACT_SCORES)
    found |= summarise_view(before, "placebo", PLACEBO_SCORES)
    for kind in GENERAL:
        found |= summarise_view([a for _, a in of_kind(pairs, kind)], kind, FACT_SCORES)
    for name, source in (("efficacy/all", "contains/all"), ("efficacy_base/all", "contains/placebo")):
        if source in found:
            found[name] = found[source]
    return found


def _leaks(pairs: Sequence[Pair], golds: Mapping[str, tuple[str, ...]]) -> dict[str, Metric]:
    """Share of near answers that name the written value, minus the same before; and the likelihood's shift.

    A probe whose own right answer names the value cannot show a leak and is left out.
    """

    def leaked(answer: Answer) -> bool:
        return mentions(answer.answer, golds[answer.tags["of"]])

    found: dict[str, Metric | None] = {}
    for kind in NEAR:
        asked = [p for p in of_kind(pairs, kind) if p[1].tags.get("of") in golds]
        asked = [p for p in asked if not any(mentions(own, golds[p[1].tags["of"]]) for own in p[1].gold)]
        found[f"leak/{kind}"] = per_context(asked, lambda b, a: float(leaked(a)) - float(leaked(b)))
        found[f"leak_base/{kind}"] = per_context(asked, lambda b, _: float(leaked(b)))
        scored = [p for p in asked if all("leak_margin" in side.scores for side in p)]
        found[f"leak_margin/{kind}"] = per_context(
            scored, lambda b, a: a.scores["leak_margin"] - b.scores["leak_margin"]
        )
    return present(found)


def _neighbourhood(pairs: Sequence[Pair]) -> dict[str, Metric]:
    """Neighbourhood score: share of near questions whose true answer is likelier than the written value.

    From two stored likelihoods: `margin` is true − max(written, others), `leak_margin` is written − max(true, others);
    the first is above the second exactly where true is above written. Source: CounterFact, Meng et al. (NeurIPS 2022).
    """
    near = [p for p in of_kind(pairs, "near_entity") if p[1].gold != NOT_STATED]
    scored = [p for p in near if all({"margin", "leak_margin"} <= side.scores.keys() for side in p)]

    def truer(answer: Answer) -> float:
        return float(answer.scores["margin"] > answer.scores["leak_margin"])

    return present(
        {
            "ns/all": per_context(scored, lambda _, a: truer(a)),
            "ns_base/all": per_context(scored, lambda b, _: truer(b)),
        }
    )


def _unchanged(pairs: Sequence[Pair]) -> dict[str, Metric]:
    """Specificity: share of answers that writing left as they were, but for case and punctuation."""

    def same(before: Answer, after: Answer) -> float:
        return float(normalise(before.answer) == normalise(after.answer))

    views = {"near": NEAR, "unrelated": ("unrelated",)}
    return present({f"unchanged/{view}": per_context(of_kind(pairs, *kinds), same) for view, kinds in views.items()})


def _damage(pairs: Sequence[Pair]) -> dict[str, Metric]:
    """Of near and unrelated questions with a true answer: right before and wrong after, and the other way round."""
    asked = [p for p in of_kind(pairs, *NEAR, "unrelated") if p[1].gold != NOT_STATED]
    return present(
        {
            "damage/all": _turned(asked, 1.0),
            "repair/all": _turned(asked, 0.0),
            "known_base/all": per_context(asked, lambda b, _: b.scores["contains"]),
        }
    )


def _turned(pairs: Sequence[Pair], before: float) -> Metric | None:
    """Of the answers that scored this before, the share that no longer does."""
    had: dict[str, float] = defaultdict(float)
    lost: dict[str, float] = defaultdict(float)
    for old, new in pairs:
        had[new.context] += old.scores["contains"] == before
        lost[new.context] += old.scores["contains"] == before != new.scores["contains"]
    return ratio_of_parts(lost, had)


def _abstention(pairs: Sequence[Pair]) -> dict[str, Metric]:
    """Balanced rate (P(abstain | no answer) + 1 - P(abstain | answer)) / 2, its two parts, and the same before writing.

    The rows "always abstains" and "never abstains" are what the same detector says of such answers to these questions.
    """
    kinds = (TARGET, *GENERAL)
    asked = [p for p in pairs if p[1].tags.get("kind") in kinds or p[1].gold == NOT_STATED]
    named = {a.context: a.gold[0] for _, a in of_kind(pairs, TARGET)}

    def never(answer: Answer) -> str:
        return answer.gold[0] if answer.gold != NOT_STATED else named.get(answer.context, "Paris")

    after = balance(asked, lambda _, a: abstains(a.answer))
    before = balance(asked, lambda b, _: abstains(b.answer))
    found = {f"abstention{name}": metric for name, metric in after.items()}
    found |= {"abstention_base/all": before["/all"]} if "/all" in before else {}
    for row, control in (
        ("always abstains", balance(asked, lambda *_: abstains(PHRASE))),
        ("never abstains", balance(asked, lambda _, a: abstains(never(a)))),
    ):
        found |= {f"control:{row}:abstention{name}": metric for name, metric in control.items()}
    return found


def balance(pairs: Sequence[Pair], abstained: Callable[[Answer, Answer], bool]) -> dict[str, Metric]:
    """ "/all": the balanced rate, "/right": abstentions where due, "/false": undue ones; of contexts that have both."""
    due: dict[str, list[bool]] = defaultdict(list)
    undue: dict[str, list[bool]] = defaultdict(list)
    for before, after in pairs:
        (due if after.gold == NOT_STATED else undue)[after.context].append(abstained(before, after))
    both = [context for context in due if context in undue]
    if not both:
        return {}
    right, false = ({c: fmean(those[c]) for c in both} for those in (due, undue))
    whole = {c: (right[c] + 1 - false[c]) / 2 for c in both}
    return {"/all": mean_of(whole), "/right": mean_of(right), "/false": mean_of(false)}
