"""Questions about dated conversations: answered by kind, outdated, and abstained from where nothing was said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean

from membench.corpora.sessions import ABSTENTION, KINDS
from membench.metrics.abstention import PHRASE, abstains
from membench.metrics.answer_scores import mentions
from membench.values import Answer, Metric, MetricSpec
from membench.views import DETAIL, SCORES, mean_of, summarise_view

TASK = "conversation"  # by whose name cells are known that a judge may judge
# Scores that a judge gives a record: of the answer that was given, and of three that are planted.
JUDGED, RIGHT, VAGUELY, WRONGLY = VERDICTS = ("judged", "judge_right", "judge_vague", "judge_wrong")

METRICS = (
    MetricSpec("contains/single-session", "one session", "contains, what one session says"),
    MetricSpec("contains/multi-session", "several sessions", "contains, what takes several sessions"),
    MetricSpec(
        "contains/temporal", "temporal", "contains, on which day, or how long before the day of asking", brief=2,
    ),
    MetricSpec("contains/update", "update", "contains, what a later session changed", brief=1),
    MetricSpec("contains/open-domain", "open domain", "contains, what takes knowledge from elsewhere, too"),
    MetricSpec(
        "outdated", "outdated", "share of questions about what changed which name the earlier value alone",
        higher_is_better=False, brief=3,
    ),
    MetricSpec(
        "misled", "misled", "share of questions that no session answers which name what was said of someone else",
        higher_is_better=False,
    ),
    MetricSpec(
        "judged", "judged", "share that the judge of --judge calls right, of the questions that some session answers; "
        "worth what it says of planted answers", section=DETAIL,
    ),
    MetricSpec("judged/abstention", "judged abstention", "the same, of those that none answers", section=DETAIL),
    MetricSpec(
        "judge_agrees", "judge agrees", "share of planted answers (right, vague, wrong) of which the judge says what "
        "they are", section=DETAIL,
    ),
    MetricSpec("judge_right", "planted right", "share of planted right answers that it calls right", section=DETAIL),
    MetricSpec(
        "judge_vague", "planted vague", "share of planted vague answers that it calls right", higher_is_better=False,
        section=DETAIL,
    ),
    MetricSpec(
        "judge_wrong", "planted wrong", "share of planted wrong answers that it calls right", higher_is_better=False,
        section=DETAIL,
    ),
)  # fmt: skip


def summarise_conversation(answers: Sequence[Answer]) -> dict[str, Metric]:
    """Views `all` (of what the sessions answer) and of each kind, "outdated", "misled", and abstention.

    "abstention/right": share of abstentions where no session answers, "abstention/false" where one does,
    "abstention/all": the balanced rate (right + 1 − false) / 2. The rows "always abstains" and "never abstains" are
    what the same detector says of such answers.
    """
    held = [a for a in answers if a.seen]
    due = [a for a in held if a.tags["kind"] == ABSTENTION]
    told = [a for a in held if a.tags["kind"] != ABSTENTION]
    found = summarise_view(told, "all", SCORES)
    for kind in KINDS[:-1]:
        found |= summarise_view([a for a in told if a.tags["kind"] == kind], kind, ("contains", "f1"))
    made = {
        "outdated/all": _mean([a for a in told if "old" in a.tags], _outdated),
        "misled/all": _mean([a for a in due if "leak" in a.tags], _misled),
        **_balance(due, told, lambda a: abstains(a.answer), ""),
        **_balance(due, told, lambda _: abstains(PHRASE), "control:always abstains:"),
        **_balance(due, told, lambda a: abstains(_said(a)), "control:never abstains:"),
    }
    return found | {name: metric for name, metric in made.items() if metric} | _judged(told, due)


def _judged(told: Sequence[Answer], due: Sequence[Answer]) -> dict[str, Metric]:
    """What a judge says of the answers, and of those that are planted; nothing where none was asked."""
    both = [*told, *due]
    found = summarise_view(told, "all", (JUDGED,)) | summarise_view(due, "abstention", (JUDGED,))
    found |= summarise_view(both, "all", (RIGHT, VAGUELY, WRONGLY))
    agreed = [a for a in both if set(VERDICTS) & a.scores.keys()]
    agreement = _mean(agreed, _agreement)
    return found | ({"judge_agrees/all": agreement} if agreement else {})


def _agreement(answer: Answer) -> float:
    """Of the planted answers; a reply that cannot be read agrees with nothing. Not always is a wrong one planted."""
    wanted = {RIGHT: 1.0, VAGUELY: 0.0} | ({WRONGLY: 0.0} if WRONGLY in answer.scores else {})
    return fmean(float(answer.scores.get(name) == right) for name, right in wanted.items())


def _outdated(answer: Answer) -> float:
    old = [answer.tags["old"]]
    return float(mentions(answer.answer, old, answer.gold) and not mentions(answer.answer, answer.gold, old))


def _misled(answer: Answer) -> float:
    return float(mentions(answer.answer, [answer.tags["leak"]]))


def _said(answer: Answer) -> str:
    """An answer that abstains from nothing."""
    return answer.gold[0] if answer.tags["kind"] != ABSTENTION else answer.tags.get("leak", "Paris")


def _means(answers: Iterable[Answer], value: Callable[[Answer], float]) -> dict[str, float]:
    values: dict[str, list[float]] = defaultdict(list)
    for answer in answers:
        values[answer.context].append(float(value(answer)))
    return {context: fmean(those) for context, those in values.items()}


def _mean(answers: Sequence[Answer], value: Callable[[Answer], float]) -> Metric | None:
    return mean_of(_means(answers, value)) if answers else None


def _balance(
    due: Sequence[Answer], told: Sequence[Answer], abstained: Callable[[Answer], bool], prefix: str
) -> dict[str, Metric]:
    """The balanced rate and its parts, means over contexts that have one or the other; nothing without both.

    The values per context of the balanced rate are the linearised ones: their mean is the rate, their spread gives its
    interval.
    """
    if not due or not told:
        return {}
    right, false = _means(due, abstained), _means(told, abstained)
    r, f = fmean(right.values()), fmean(false.values())
    whole, count = (r + 1 - f) / 2, len(right) + len(false)
    linear = {c: whole + (v - r) * count / (2 * len(right)) for c, v in right.items()}
    linear |= {c: whole - (v - f) * count / (2 * len(false)) for c, v in false.items()}
    return {
        f"{prefix}abstention/all": Metric(whole, linear),
        f"{prefix}abstention/right": mean_of(right),
        f"{prefix}abstention/false": mean_of(false),
    }
