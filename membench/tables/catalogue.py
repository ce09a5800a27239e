"""Every metric and cost that membench knows, as declared where they are computed, and those of a plug-in's task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from membench.errors import MembenchError
from membench.imported.task import IMPORTED, declared_scores
from membench.metrics import (
    answer_scores,
    composition,
    conflicts,
    contamination_specs,
    deletion,
    drift,
    recommendation,
    retention,
)
from membench.plugins import registry
from membench.plugins.described import sound_metrics
from membench.store import costs, question_subsets
from membench.store.recipe import GOLD
from membench.talks import measures
from membench.values import CostSpec, MetricSpec

METRICS: Mapping[str, MetricSpec] = {
    spec.name: spec
    for module in (
        answer_scores, question_subsets, retention, recommendation, contamination_specs, conflicts, drift,
        deletion, composition, measures,
    )
    for spec in module.METRICS
}  # fmt: skip
COSTS: Mapping[str, CostSpec] = {spec.name: spec for spec in costs.COSTS}


def spec_of(name: str, declared: Sequence[MetricSpec] = ()) -> MetricSpec | None:
    """What a metric "SCORE/VIEW" or "SCORE:DETAIL" is, by the nearest declaration; a task's own ones come first."""
    score, slash, _ = name.partition("/")
    own = {spec.name: spec for spec in declared}
    names = [name, *([score] if slash else []), f"{name.partition(':')[0]}:"]
    return next((known[n] for n in names for known in (own, METRICS) if n in known), None)


def column_of(name: str) -> str:
    """The metric that a declaration's column shows: "contains" is "contains/all"."""
    return name if "/" in name or ":" in name else f"{name}/all"


def declared_of(recipe: Mapping[str, Any]) -> tuple[MetricSpec, ...]:
    """What the task of a cell declares beside that; of imported results all that their harness scored."""
    if recipe["task"] == IMPORTED:
        return declared_scores(recipe["task_settings"], recipe["model"])
    return declared_by(recipe["task"])


@cache
def declared_by(task: str) -> tuple[MetricSpec, ...]:
    """What a task declares beside that; nothing for built-in ones, and for one that is not installed any more, or whose
    code is broken now, which `membench ls tasks` tells.
    """
    if task == GOLD or registry.origin("tasks", task) in (None, registry.BUILTIN):
        return ()
    try:
        return sound_metrics(task, registry.load("tasks", task).metrics)
    except MembenchError:
        return ()
