"""What the stored runs of the experiment came to, one value a question: learned, lost, borrowed; and drift a text.

Every run writes two texts one after the other and asks about both after each write.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from experiment_design import Run, request
from numpy.typing import NDArray

from membench.api import settings_of
from membench.planning.validation import chosen
from membench.store import cell_folder
from membench.store.records import answer_of
from membench.text.mentions import names
from membench.values import Answer

SCORES = ("learned", "kept", "shifted", "borrowed", "drift")
UNITS = {
    "learned": "margin of rehearsed facts just after their write, nats a token",
    "kept": "what the second write does to the margin of the first text's rehearsed facts, nats a token",
    "shifted": "the same of its facts that are not rehearsed",
    "borrowed": "share of questions answered with a value of the other text, the one just written",
    "drift": "KL from the untouched model on generic text after both writes, nats a token",
}


@dataclass(frozen=True)
class Outcome:
    """A run's values by question or text for each of SCORES, its counts of right answers, and its tokens a write."""

    run: Run
    values: Mapping[str, Mapping[str, float]]
    fresh: tuple[int, int]  # rehearsed facts: right just after their write, asked
    old: tuple[int, int]  # the first text's rehearsed facts: right at its write, right in the end
    trained: float
    taught: float

    def mean(self, score: str) -> float:
        """Over its questions or texts."""
        return float(np.mean(list(self.values[score].values())))


def outcomes(runs: Iterable[Run], folder: Path) -> list[Outcome]:
    """Those of the runs that are stored as done, in the order of the runs."""
    return [_outcome(run, records) for run in runs if (records := records_of(run, folder))]


def records_of(run: Run, folder: Path) -> list[dict[str, Any]]:
    """The records of a run; none if it is not stored as done."""
    cell = _stored(folder).get(_key(asked_for(run)))
    return cell_folder.records_of(cell) if cell else []


@cache
def _stored(folder: Path) -> dict[str, cell_folder.Cell]:
    return {_key(cell.recipe): cell for cell in cell_folder.cells(folder) if cell.status == "done"}


def asked_for(run: Run) -> dict[str, object]:
    """What the recipe of a run's cell says of method, task, data and seed."""
    asked = request(run)
    methods, tasks = chosen(asked)
    return {
        "method": run.method,
        "settings": settings_of(methods[run.method]),
        "task_settings": settings_of(tasks["sequential"]),
        "data": asked.data[0],
        "limit": asked.limit,
        "seed": run.seed,
    }


def _key(recipe: Mapping[str, object]) -> str:
    parts = {name: recipe.get(name) for name in ("method", "settings", "task_settings", "data", "limit", "seed")}
    return json.dumps(parts, sort_keys=True)


def _outcome(run: Run, records: list[dict[str, Any]]) -> Outcome:
    answers = [answer_of(record) for record in records if record["type"] == "answer"]
    own = [a for a in answers if a.position == a.written]
    before = {a.question: a for a in own if a.position == 1}
    after = {a.question: a for a in answers if a.position == 1 and a.written == 2}
    golds: dict[int, list[str]] = {1: [], 2: []}
    for a in own:
        golds[a.position] += a.gold
    other = [a for a in answers if a.position != a.written]
    drift = next(record for record in records if record["type"] == "drift")
    rehearsed = [a for a in own if a.tags["rehearsed"] == "yes"]
    known = {a.question for a in rehearsed}
    changes = {q: a.scores["margin"] - before[q].scores["margin"] for q, a in after.items()}
    writes = [record["tokens"] for record in records if record["type"] == "write"]
    return Outcome(
        run,
        {
            "learned": {a.question: a.scores["margin"] for a in rehearsed},
            "kept": {q: change for q, change in changes.items() if q in known},
            "shifted": {q: change for q, change in changes.items() if q not in known},
            "borrowed": {a.question: float(_has(a, golds[a.written])) for a in other},
            "drift": {str(i): kl for i, (*_, kl) in enumerate(drift["texts"])},
        },
        (sum(_right(a) for a in rehearsed), len(rehearsed)),
        (_rights(before.values()), _rights(after.values())),
        _tokens(writes, "reader", "trained"),
        _tokens(writes, "teacher", "read"),
    )


def _has(answer: Answer, golds: Iterable[str]) -> bool:
    return any(names(answer.answer, gold) for gold in golds)


def _right(answer: Answer) -> bool:
    return answer.scores["contains"] == 1


def _rights(answers: Iterable[Answer]) -> int:
    return sum(_right(a) for a in answers if a.tags["rehearsed"] == "yes")


def _tokens(writes: list[Any], role: str, kind: str) -> float:
    """Mean over the writes."""
    return float(np.mean([write[role][kind] for write in writes]))


def matrix(found: list[Outcome], score: str) -> NDArray[np.float64]:
    """The values [runs, questions or texts], those in the order of the first run."""
    keys = list(found[0].values[score])
    return np.array([[outcome.values[score][key] for key in keys] for outcome in found])
