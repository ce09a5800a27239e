"""From the records of a cell to its summary, costs and counts: pure, and used by the runner and by verify alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from membench.api import Answer, Metric, Task
from membench.drift_metrics import drift_metrics
from membench.records import answer_of

DIGITS = 6  # decimals that are stored

NOTES = {"tokens_cut": "tokens_cut_per_question", "regime": "regime"}  # what a Recall may note -> its cost

Record = Mapping[str, Any]


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
    """The task's metrics as plain data: name -> value and, where there are any, contexts and curve."""
    return _plain_all(task.summarise(answers) if answers else {})


def _plain_all(metrics: Mapping[str, Metric]) -> dict[str, Any]:
    return {name: _plain(metric) for name, metric in metrics.items()}


def counts_of(records: Sequence[Record]) -> dict[str, int]:
    """Contexts written, questions asked (with repetition), answers received."""
    written = {context for record in records if record["type"] == "write" for context in record["contexts"]}
    return {
        "contexts": len(written),
        "questions": sum(record["questions"] for record in records if record["type"] == "ask"),
        "answered": sum(record["type"] == "answer" for record in records),
    }


def costs_of(records: Sequence[Record]) -> dict[str, float | None]:
    """What writing cost per context and reading per question; seconds, tokens, bytes. None where nothing was done.

    A question that was asked again of an unchanged memory is not read again and counts once. `state_bytes` and
    `deployed_growth_bytes` are of the memory at the end of an episode, the mean over episodes. `live_bytes` is the most
    that any question needed; records of the first versions do not tell it. `cell_peak_bytes` is the most in use while
    the cell was played. The first versions kept `peak_bytes` in its place, the most that the process ever held, in
    which cells before have a part: a bound for estimates, which no table shows.
    """
    writes = [record for record in records if record["type"] == "write"]
    forgets = [record for record in records if record["type"] == "forget"]
    asks = [record for record in records if record["type"] == "ask"]
    contexts = sum(len(record["contexts"]) for record in writes)
    read = sum(record.get("read", record["questions"]) for record in asks)
    ends = _ends(record for record in records if record["type"] in ("write", "forget"))
    return {
        "write_seconds_per_context": _per(_seconds(writes), contexts),
        "forget_seconds_per_context": _per(_seconds(forgets), sum(len(record["contexts"]) for record in forgets)),
        "read_seconds_per_question": _per(_seconds(asks), read),
        "tokens_trained_per_context": _per(_tokens(writes, ("trained",)), contexts),
        "teacher_tokens_per_context": _per(_tokens(writes, ("read", "generated"), "teacher"), contexts),
        "writer_tokens_per_context": _per(_tokens(writes, ("read", "generated"), "writer"), contexts),
        "tokens_read_per_question": _per(_tokens(asks, ("read",)), read),
        "tokens_generated_per_question": _per(_tokens(asks, ("generated",)), read),
        "state_bytes": _per(sum(end["state_bytes"] for end, _ in ends), len(ends)),
        "state_bytes_per_context": _per(sum(end["state_bytes"] for end, _ in ends), sum(held for _, held in ends)),
        "deployed_growth_bytes": _per(sum(end["growth_bytes"] for end, _ in ends), len(ends)),
        "peak_bytes": _most(records, "peak_bytes"),
        "cell_peak_bytes": _most(records, "cell_peak_bytes"),
        "live_bytes": _most(asks, "live_bytes"),
        **{cost: _noted(asks, name) for name, cost in NOTES.items()},
    }


def _ends(writes: Iterable[Record]) -> list[tuple[Record, int]]:
    """The last change of each episode, and how many contexts its memory then holds."""
    ends: dict[str, tuple[Record, int]] = {}
    for record in writes:
        held = ends[record["episode"]][1] if record["episode"] in ends else 0
        change = len(record["contexts"]) * (1 if record["type"] == "write" else -1)
        ends[record["episode"]] = (record, held + change)
    return list(ends.values())


def _seconds(records: Iterable[Record]) -> float:
    return float(sum(record["seconds"] for record in records))


def _noted(asks: Iterable[Record], name: str) -> float | None:
    """The mean of a note over the questions that were read under it."""
    found = [(record["notes"][name], record["read"]) for record in asks if name in record.get("notes", {})]
    return _per(sum(value * read for value, read in found), sum(read for _, read in found))


def _most(records: Iterable[Record], name: str) -> int | None:
    """The greatest number of this name; None where no record has it."""
    found: list[int] = [record[name] for record in records if record.get(name) is not None]
    return max(found, default=None)


def _tokens(records: Iterable[Record], kinds: Sequence[str], only: str | None = None) -> int:
    return sum(
        record["tokens"][role].get(kind, 0)
        for record in records
        for role in record["tokens"]
        if only in (None, role)
        for kind in kinds
    )


def _per(total: float, count: int) -> float | None:
    return round(total / count, DIGITS) if count else None


def _plain(metric: Metric) -> dict[str, Any]:
    out: dict[str, Any] = {"value": round(metric.value, DIGITS)}
    if metric.contexts:
        out["contexts"] = {context: round(value, DIGITS) for context, value in metric.contexts.items()}
    if metric.curve:
        out["curve"] = [round(value, DIGITS) for value in metric.curve]
    return out
