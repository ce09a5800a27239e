"""The second design of the experiment: fewer presentations, by the layers trained, over six texts in sequence."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from experiment_design import Run, following
from experiment_outcomes import records_of
from experiment_stored import markdown

from membench.store.records import answer_of
from membench.values import Answer

HEAD = (
    "recipe", "gain of a write", "left of it in the end, second to fifth text", "right just written",
    "all but the last: right when written, in the end", "drift", "trained tokens",
)  # fmt: skip


def follow_table(folder: Path) -> str:
    """A line a run: the gain in margin of a write, what is left of it in the end, right answers, drift."""
    planned = list(following())
    lines: list[list[str]] = [list(HEAD)]
    for run in planned:
        if records := records_of(run, folder):
            lines.append([_name(run), *_row(records, run.writes)])
    return f"{len(lines) - 1} of {len(planned)} runs are stored.\n\n{markdown(lines)}"


def _name(run: Run) -> str:
    return " ".join(run.settings)


def _row(records: list[dict[str, Any]], last: int) -> list[str]:
    asked = [answer_of(record) for record in records if record["type"] == "answer"]
    rehearsed = [a for a in asked if a.position and a.tags["rehearsed"] == "yes"]
    margins: dict[int, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))  # by text and writes
    for a in rehearsed:
        margins[a.position][a.written].append(a.scores["margin"])
    mean = {at: {k: float(np.mean(values)) for k, values in by.items()} for at, by in margins.items()}
    gains = {at: by[at] - by[at - 1] for at, by in mean.items() if at - 1 in by}  # the first is not asked before
    old = [at for at in sorted(gains) if at < last]
    left = sum(mean[at][last] - mean[at][at - 1] for at in old) / sum(gains[at] for at in old)
    own = [a for a in rehearsed if a.position == a.written]
    *_, drift = (record for record in records if record["type"] == "drift")
    trained = [r["tokens"]["reader"]["trained"] for r in records if r["type"] == "write"]
    return [
        f"{np.mean(list(gains.values())):.2f}",
        f"{left:.2f}",
        f"{_right(own)} of {len(own)}",
        f"{_right([a for a in own if a.position < last])}, "
        f"{_right([a for a in rehearsed if a.position < last and a.written == last])}",
        f"{np.mean([kl for *_, kl in drift['texts']]):.2f}",
        f"{np.mean(trained):.0f}",
    ]


def _right(answers: list[Answer]) -> int:
    return sum(a.scores["contains"] == 1 for a in answers)
