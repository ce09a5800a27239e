"""From the records of a cell to its summary, costs and counts: pure, and used by the runner and by verify alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from membench.api import Task
from membench.errors import MembenchError
from membench.metrics.drift import drift_metrics
from membench.store.costs import Record, costs_of
from membench.store.records import answer_of
from membench.values import DIGITS, Answer, Metric


def summarise_cell(
    task: Task | None, records: Sequence[Record]
) -> tuple[dict[str, Any], dict[str, float | None], dict[str, int]]:
    """(summary, costs, counts) as they stand in result.json; records are those of closed steps.

    A cell that failed has no summary: its task is None.
    """
    answers = [answer_of(record) for record in records if record["type"] == "answer"]
    summary = summary_of(task, answers) | _plain_all(drift_metrics(records)) if task else {}
    return summary, costs_of(records), counts_of(records)


def summary_of(task: Task, answers: Sequence[Answer]) -> dict[str, Any]:
    """The task's metrics as plain data: name -> value and, where there are any, contexts, curve and below."""
    return _plain_all(_sound(task.summarise(answers)) if answers else {})


def _sound(metrics: Any) -> Mapping[str, Metric]:
    """What a task's summary amounts to. Raises MembenchError for what are no metrics by name."""
    if not isinstance(metrics, Mapping):
        raise MembenchError(f"summarise() of the task gave {type(metrics).__name__}: make it a dict of Metric by name")
    for name, metric in metrics.items():
        if not isinstance(name, str) or not isinstance(metric, Metric):
            raise MembenchError(
                f"summarise() of the task gave {type(metric).__name__} as {name!r}: make it a Metric by its name"
            )
    return metrics


def _plain_all(metrics: Mapping[str, Metric]) -> dict[str, Any]:
    return {name: _plain(metric) for name, metric in metrics.items()}


def counts_of(records: Sequence[Record]) -> dict[str, int]:
    """Contexts written (at hand, where another harness asked), questions asked (with repetition), answers received."""
    given = (record.get("contexts", ()) for record in records if record["type"] in ("write", "ask"))
    written = {context for contexts in given for context in contexts}
    return {
        "contexts": len(written),
        "questions": sum(record["questions"] for record in records if record["type"] == "ask"),
        "answered": sum(record["type"] == "answer" for record in records),
    }


def _plain(metric: Metric) -> dict[str, Any]:
    out: dict[str, Any] = {"value": round(metric.value, DIGITS)}
    if metric.contexts:
        out["contexts"] = {context: round(value, DIGITS) for context, value in metric.contexts.items()}
    if metric.curve:
        out["curve"] = [round(value, DIGITS) for value in metric.curve]
    if metric.below:
        out["below"] = [round(value, DIGITS) for value in metric.below]
    return out
