"""Score stored answers anew with the scorer of today, without a model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from membench import records, store
from membench.api import Answer, Question, Task
from membench.controls import compared
from membench.errors import MembenchError
from membench.plan import data_hash, load_data
from membench.score import METRIC_VERSION, token_f1
from membench.store import Cell
from membench.tables import GOLD, GROUND
from membench.verify import task_of

REFERENCE = "in-context"


@dataclass(frozen=True)
class Rescored:
    """A cell, how many answers have other scores now, and the folder that holds them: its own if the version stayed."""

    cell: Cell
    changed: int
    folder: Path


def rescore(root: Path, names: Sequence[str]) -> list[Rescored]:
    """Score these cells anew, or all with no names; the yardsticks of a cell come with it.

    A cell of another version of the metrics becomes a new one beside it. Likelihoods stay: they came with the answer.
    Raises MembenchError for an unknown cell, and where the data are no longer those that were asked.
    """
    every = [c for c in store.cells(root) if c.status == "done"]
    chosen = [store.find(root, name) for name in names] if names else every
    grounds = [c for c in every if c.recipe["task"] == GOLD and any(_same_ground(c, other) for other in chosen)]
    wanted = {c.id: c for c in (*grounds, *chosen) if c.status == "done"}
    golds: list[Rescored] = []
    for gold in sorted((c for c in wanted.values() if c.recipe["task"] == GOLD), key=_is_floor):  # the reference first
        golds.append(_rescore(gold, root, golds))
    return golds + [_rescore(cell, root, golds) for cell in wanted.values() if cell.recipe["task"] != GOLD]


def _is_floor(cell: Cell) -> bool:
    return bool(cell.recipe["method"] != REFERENCE)


def _same_ground(gold: Cell, cell: Cell) -> bool:
    return all(gold.recipe[key] == cell.recipe[key] for key in (*GROUND, "data_hash"))


def _rescore(cell: Cell, root: Path, golds: Sequence[Rescored]) -> Rescored:
    task = task_of(cell.recipe)
    near = {g.cell.recipe["method"]: g for g in golds if _same_ground(g.cell, cell)}
    gold_answers = {name: _answers(store.read_records(g.folder)) for name, g in near.items()}
    said = {a.question: a.answer for a in gold_answers.get(REFERENCE, ())}
    old = store.read_records(cell.folder)
    questions = _questions(cell, task, [r for r in old if r["type"] == "answer"])
    new = [_scored(r, task, questions, said) if r["type"] == "answer" else r for r in old]
    changed = sum(r["scores"] != before["scores"] for r, before in zip(new, old, strict=True) if r["type"] == "answer")
    recipe = {**cell.recipe, "metric_version": METRIC_VERSION}
    folder = store.folder_of(root, recipe)
    if changed or folder != cell.folder:
        _store(cell, recipe, folder, new, task, gold_answers)
    return Rescored(cell, changed, folder)


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


def _scored(
    record: Mapping[str, Any], task: Task, questions: Mapping[str, Question], said: Mapping[str, str]
) -> dict[str, Any]:
    scores = record["scores"] | task.score(questions[record["question"]], record["answer"])
    if "fidelity_f1" in scores and record["question"] in said:
        scores["fidelity_f1"] = token_f1(record["answer"], said[record["question"]])
    return {**record, "scores": scores}


def _store(
    cell: Cell, recipe: dict[str, Any], folder: Path, rows: Sequence[Mapping[str, Any]], task: Task,
    golds: Mapping[str, Sequence[Answer]],
) -> None:  # fmt: skip
    """Records and result in the folder of the recipe; what else the cell keeps goes with them."""
    store.open_cell(folder.parent, recipe)
    for path in cell.folder.iterdir():
        if folder != cell.folder and path.is_file() and path.name not in (records.FILE, "recipe.json", "result.json"):
            shutil.copy(path, folder / path.name)
    lines = (json.dumps(row, ensure_ascii=False, separators=(",", ":"), allow_nan=False) for row in rows)
    records.replace_file(folder / records.FILE, "".join(f"{line}\n" for line in lines).encode())
    summary, costs, counts = store.summarise_cell(task, rows)
    overlap = None if recipe["task"] == GOLD else cell.result.get("overlap", {})
    fresh = compared(task, _answers(rows), golds, overlap) if golds else {}
    whole = {**cell.result, "id": store.cell_id(recipe), "recipe": recipe, "summary": summary, "costs": costs}
    store.finish(folder, {**whole, "counts": counts, **fresh, "rescored_from": cell.id})


def _answers(rows: Sequence[Mapping[str, Any]]) -> list[Answer]:
    return [store.answer_of(row) for row in rows if row["type"] == "answer"]
