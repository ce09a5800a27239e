"""The records of a cell with other scores: today's, or with a judge's verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from membench.api import Task
from membench.errors import MembenchError
from membench.metrics.answer_scores import token_f1
from membench.planning.plan import data_hash, load_data
from membench.store.cell_folder import Cell
from membench.talks.judge import Judge
from membench.talks.measures import VERDICTS
from membench.values import Question

FIDELITY = "fidelity_f1"  # to the reference's answer


def _questions(cell: Cell, task: Task, rows: Sequence[Mapping[str, Any]]) -> dict[str, Question]:
    """The questions as they were asked; records of the first versions lack distractors, which the data then give."""
    recipe = cell.recipe
    distractors = {r["question"]: tuple(r["distractors"]) for r in rows if "distractors" in r}
    if len(distractors) < len({r["question"] for r in rows}):
        data = load_data(recipe["data"], task, recipe["limit"])
        if data_hash(data.contexts) != recipe["data_hash"]:
            raise MembenchError(f"{cell.folder.name}: the data {recipe['data']!r} are no longer those that were asked")
        distractors = {q.id: q.distractors for context in (*data.contexts, *data.held_out) for q in context.questions}
    return {
        r["question"]: Question(
            r["question"], r["text"], tuple(r["gold"]), r["context"], distractors.get(r["question"], ()), r["tags"]
        )
        for r in rows
    }


def scored_rows(
    cell: Cell, rows: Sequence[dict[str, Any]], task: Task, said: Mapping[str, str], rose: bool
) -> list[dict[str, Any]]:
    """The records with today's scores; `said` is what the reference answered, by question.

    Where the version `rose`, a comparison with an answer that is not there goes: it is one of the earlier version.
    """
    questions = _questions(cell, task, [r for r in rows if r["type"] == "answer"])
    return [_scored(r, task, questions, said, rose) if r["type"] == "answer" else r for r in rows]


def _scored(
    record: Mapping[str, Any], task: Task, questions: Mapping[str, Question], said: Mapping[str, str], rose: bool
) -> dict[str, Any]:
    scores = record["scores"] | task.score(questions[record["question"]], record["answer"])
    if FIDELITY in scores and record["question"] in said:
        scores[FIDELITY] = token_f1(record["answer"], said[record["question"]])
    elif rose:
        scores.pop(FIDELITY, None)
    return {**record, "scores": scores}


def judged_rows(rows: Sequence[dict[str, Any]], judge: Judge) -> list[dict[str, Any]]:
    """The records with the judge's verdicts in place of any earlier one's."""
    verdicts = iter(judge.verdicts([r for r in rows if r["type"] == "answer"]))
    out = []
    for row in rows:
        if row["type"] == "answer":
            own = {name: score for name, score in row["scores"].items() if name not in VERDICTS}
            row = {**row, "scores": own | next(verdicts)}
        out.append(row)
    return out
