"""Questions over several texts: composed, given that each hop is known; and answered where no text links the hops."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean

from membench.corpora.chains import BROKEN, HOP, LINKED, hops_of
from membench.metrics.answer_scores import mentions
from membench.values import Answer, Metric, MetricSpec
from membench.views import SCORES, mean_of, ratio_of_parts, summarise_view

HOP_SCORES = ("contains", "f1", "margin", "acc_mc")

METRICS = (
    MetricSpec(
        "composed", "composed", "of the questions that need several texts and whose hops are each answered alone, "
        "the share that is answered", brief=1,
    ),
    MetricSpec("both_hops", "both hops", "share of those questions whose hops are each answered, asked alone"),
    MetricSpec("contains/first-hop", "first hop", "contains, the first hop asked alone"),
    MetricSpec("contains/last-hop", "last hop", "contains, the last hop asked alone, its subject named"),
    MetricSpec(
        "broken", "false bridge", "share of questions through a thing that no text links which are answered as if one "
        "did: no composition", higher_is_better=False, brief=3,
    ),
    MetricSpec(
        "linked", "by link", "contains of the questions that need several texts − false bridge: what is owed to the "
        "link that the texts state", unit="points", brief=2,
    ),
    MetricSpec(
        "distracted", "other chain", "share of questions that need several texts which name the answer of another "
        "chain, of the same type, and not their own", higher_is_better=False,
    ),
)  # fmt: skip


def summarise_composition(answers: Sequence[Answer]) -> dict[str, Metric]:
    """Views of questions that need several texts (`all`) and of their hops, and the metrics above.

    "composed" is over questions: of those whose hops are right, the share that is right, too. All others are means over
    chains. Only chains whose texts the memory holds count.
    """
    held = [a for a in answers if a.seen]
    linked, hops, broken = (_of_kind(held, kind) for kind in (LINKED, HOP, BROKEN))
    last = {h for a in linked for h in hops_of(a.tags)[-1:]}
    found = summarise_view(linked, "all", SCORES)
    found |= summarise_view([a for a in hops if a.tags.get("hop") == "1"], "first-hop", HOP_SCORES)
    found |= summarise_view([a for a in hops if a.question in last], "last-hop", HOP_SCORES)
    made = {
        "both_hops/all": _mean(linked, _known(hops)),
        "composed/all": _composed(linked, _known(hops)),
        "broken/all": _mean(broken, _leaks),
        "linked/all": _by_link(linked, broken),
        "distracted/all": _mean([a for a in linked if "rival" in a.tags], _distracted),
    }
    return found | {name: metric for name, metric in made.items() if metric}


def _of_kind(answers: Iterable[Answer], kind: str) -> list[Answer]:
    return [a for a in answers if a.tags.get("kind") == kind]


def _right(answer: Answer) -> float:
    return float(answer.scores["contains"] > 0)


def _leaks(answer: Answer) -> float:
    return float(mentions(answer.answer, [answer.tags["leak"]]))


def _distracted(answer: Answer) -> float:
    return float(not _right(answer) and mentions(answer.answer, [answer.tags["rival"]], answer.gold))


def _known(hops: Iterable[Answer]) -> Callable[[Answer], float | None]:
    """Whether each hop of a question is answered in the same step; None where it is not asked."""
    right = {(a.episode, a.step, a.question): _right(a) for a in hops}

    def known(answer: Answer) -> float | None:
        found = [right.get((answer.episode, answer.step, hop)) for hop in hops_of(answer.tags)]
        asked = [score for score in found if score is not None]
        return min(asked) if asked and len(asked) == len(found) else None

    return known


def _by_chain(answers: Iterable[Answer], value: Callable[[Answer], float | None]) -> dict[str, list[float]]:
    values: dict[str, list[float]] = defaultdict(list)
    for answer in answers:
        if (found := value(answer)) is not None:
            values[answer.context].append(found)
    return values


def _mean(answers: Iterable[Answer], value: Callable[[Answer], float | None]) -> Metric | None:
    values = _by_chain(answers, value)
    return mean_of({chain: fmean(those) for chain, those in values.items()}) if values else None


def _composed(linked: Sequence[Answer], known: Callable[[Answer], float | None]) -> Metric | None:
    asked = [a for a in linked if known(a) is not None]
    had = {chain: sum(those) for chain, those in _by_chain(asked, known).items()}
    got = {chain: sum(those) for chain, those in _by_chain(asked, lambda a: _right(a) * bool(known(a))).items()}
    return ratio_of_parts(got, had)


def _by_link(linked: Sequence[Answer], broken: Sequence[Answer]) -> Metric | None:
    """By chain, over the questions that were asked both ways."""
    twins = {a.tags["of"]: _leaks(a) for a in broken}
    return _mean([a for a in linked if a.question in twins], lambda a: _right(a) - twins[a.question])
