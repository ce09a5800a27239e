"""What is left of contexts that a memory forgot, beside a memory that never held them, and what the rest lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from membench.values import Answer, Metric, MetricSpec
from membench.views import SCORES, by_context, mean_of, summarise_split, summarise_view

FORGOT, NEVER = "forgot", "never held"  # the episodes
PARAPHRASE = "paraphrase"  # the kind of a question in other words
VIEWED = ("contains", "f1", "margin")

METRICS = (
    MetricSpec(
        "exact/forgotten", "exact", "answers equal, letter for letter, to those of a memory that never held it",
        brief=1,
    ),
    MetricSpec(
        "residual/forgotten", "residual", "contains of what was forgotten − that of a memory that never held it",
        unit="points", higher_is_better=False, brief=2,
    ),
    MetricSpec(
        "residual/paraphrased", "residual, paraphrased", "the same, asked in other words", unit="points",
        higher_is_better=False,
    ),
    MetricSpec(
        "residual_margin/forgotten", "residual margin", "the same of the likelihood margin", unit="nats",
        higher_is_better=False,
    ),
    MetricSpec("contains/forgotten", "forgotten", "contains of what was forgotten", higher_is_better=False),
    MetricSpec("contains/kept", "rest", "contains of the contexts that stayed, after the others were forgotten"),
    MetricSpec(
        "loss/kept", "rest lost", "contains of the rest before − after", unit="points", higher_is_better=False,
        brief=3,
    ),
)  # fmt: skip


def summarise_deletion(answers: Sequence[Answer]) -> dict[str, Metric]:
    """Views of the memory before it forgets (`all` and its parts), and what forgetting did.

    - "contains/forgotten", "margin/forgotten": scores of the forgotten contexts' questions afterwards; "/never" the
      same questions of the memory that never held them; "residual/forgotten" and "residual_margin/forgotten" the
      differences.
    - "residual/paraphrased": the same of questions in other words.
    - "exact/forgotten": share of the forgotten contexts' answers that are those of that memory, letter for letter.
    - "contains/kept": of the contexts that stayed, afterwards; "loss/kept" what it was before less that.
    """
    first = min((a.step for a in answers if a.episode == FORGOT), default=0)
    before = _plain([a for a in answers if a.episode == FORGOT and a.step == first])
    after = [a for a in answers if a.episode == FORGOT and a.step > first]
    gone = {a.context for a in after if not a.seen}
    left = [a for a in after if a.context in gone]
    never = [a for a in answers if a.episode == NEVER and a.context in gone]
    kept = _plain([a for a in after if a.context not in gone])
    found = summarise_view(before, "all", SCORES) | summarise_split(before, VIEWED)
    for view, those in (("forgotten", _plain(left)), ("never", _plain(never)), ("kept", kept)):
        found |= summarise_view(those, view, VIEWED)
    made = {
        "residual/forgotten": _less(_plain(left), _plain(never), "contains"),
        "residual_margin/forgotten": _less(_plain(left), _plain(never), "margin"),
        "residual/paraphrased": _less(_worded(left), _worded(never), "contains"),
        "exact/forgotten": _exact(left, never),
        "loss/kept": _less([a for a in before if a.context not in gone], kept, "contains"),
    }
    return found | {name: mean_of(values) for name, values in made.items() if values}


def _worded(answers: Sequence[Answer]) -> list[Answer]:
    return [a for a in answers if a.tags.get("kind") == PARAPHRASE]


def _plain(answers: Sequence[Answer]) -> list[Answer]:
    return [a for a in answers if a.tags.get("kind") != PARAPHRASE]


def _less(first: Sequence[Answer], second: Sequence[Answer], score: str) -> dict[str, float]:
    """Differences by context, of those that both have."""
    one, other = by_context(first, score), by_context(second, score)
    return {context: value - other[context] for context, value in one.items() if context in other}


def _exact(left: Sequence[Answer], never: Sequence[Answer]) -> dict[str, float]:
    theirs = {a.question: a.answer for a in never}
    equal = [replace(a, scores={"equal": float(a.answer == theirs[a.question])}) for a in left if a.question in theirs]
    return by_context(equal, "equal")
