"""Scores on the questions that test memory and nothing else, and by distance to what a method was trained on.

- need: questions that need the memory (unknown and answerable; Gekhman et al. 2024): the floor is wrong on every
  phrasing of the fact that it was asked, the reference is right. Made of the yardsticks' cells alone.
- near, mid, far: by the largest share of a question's words that stands in one target sentence (with its answer).

The task's own summary over these questions gives the metrics, so that they mean what the table's others mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from membench.api import Task
from membench.store.recipe import FLOOR, REFERENCE
from membench.store.summary import summary_of
from membench.values import Answer, MetricSpec

SCORES = ("contains", "f1", "exclusive", "margin", "acc_mc")


NEAR, FAR = 0.75, 0.5  # share of words from which a question is near, below which it is far

METRICS = (
    MetricSpec(
        "contains/need",
        "need",
        "contains, on the questions that need the memory: the floor has the fact wrong in every phrasing, the "
        "reference the question right (how many, of how many about written contexts)",
    ),
    MetricSpec(
        "contains/near",
        "near",
        "contains, on questions of which 75 % of the words or more stand in one target sentence",
    ),
    MetricSpec("contains/mid", "mid", "the same, 50 to 75 %"),
    MetricSpec("contains/far", "far", "the same, less than 50 %"),
)


def compared(
    task: Task, answers: Sequence[Answer], golds: Mapping[str, Sequence[Answer]], overlap: Mapping[str, float] | None
) -> dict[str, Any]:
    """What the yardsticks' answers (by method) say of a cell's: `yardsticks` and, unless `overlap` is None, `controls`.

    `yardsticks` are floor and reference over exactly the questions that the cell asked, by this task's own summary.
    """
    asked = {a.question for a in answers}
    own = {name: summary_of(task, [a for a in those if a.question in asked]) for name, those in golds.items()}
    if overlap is None:
        return {"yardsticks": own}
    both = {FLOOR, REFERENCE} <= golds.keys()
    needed = needing(golds[FLOOR], golds[REFERENCE]) if both else None
    return {"yardsticks": own, "controls": on_subsets(task, answers, needed, overlap)}


def on_subsets(
    task: Task, answers: Sequence[Answer], needed: frozenset[str] | None, overlap: Mapping[str, float]
) -> dict[str, Any]:
    """What stands under `controls` in a result: sizes of the subsets, and "<score>/<subset>" metrics.

    Questions about contexts that are never written (placebo) are in none, and not counted. `needed` are the ids of
    questions that need the memory (None: the yardsticks were not played), `overlap` is that of `overlaps`, empty where
    there are no target sentences.
    """
    asked = {a.question for a in answers if a.seen}
    subsets: dict[str, set[str]] = {} if needed is None else {"need": asked & needed}
    for question in asked & overlap.keys():
        subsets.setdefault(_bin(overlap[question]), set()).add(question)
    metrics: dict[str, Any] = {}
    for name, questions in sorted(subsets.items()):
        found = summary_of(task, [a for a in answers if a.question in questions])
        metrics |= {f"{score}/{name}": found[f"{score}/all"] for score in SCORES if f"{score}/all" in found}
    sizes = {name: len(questions) for name, questions in sorted(subsets.items())}
    return {"questions": len(asked), "sizes": sizes, "metrics": metrics}


def needing(floor: Iterable[Answer], reference: Iterable[Answer]) -> frozenset[str]:
    """The questions whose fact the floor never got right, in whatever phrasing, and which the reference did."""
    known = {_fact(a) for a in floor if a.scores.get("contains", 0.0) > 0}
    return frozenset(a.question for a in reference if a.scores.get("contains", 0.0) > 0 and _fact(a) not in known)


def _fact(answer: Answer) -> tuple[str, str]:
    """Phrasings of one fact of a context have the same `fact` tag; a question without one is a fact of its own."""
    return answer.context, answer.tags.get("fact", answer.question)


def _bin(share: float) -> str:
    return "near" if share >= NEAR else "far" if share < FAR else "mid"
