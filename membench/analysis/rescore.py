"""Score stored answers anew with the scorer of today, without a model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from membench.analysis.backfill import derived, parameters_of
from membench.api import Task
from membench.errors import MembenchError
from membench.io.atomic_files import replace_file
from membench.metrics.answer_scores import METRIC_VERSION, token_f1
from membench.planning.plan import data_hash, load_data
from membench.planning.restore import ground_of, task_of
from membench.store import cell_folder
from membench.store.cell_folder import Cell
from membench.store.recipe import GOLD, GROUND, cell_id
from membench.store.records import FILE, answer_of, read_records
from membench.store.summary import summarise_cell
from membench.values import Answer, Question

REFERENCE = "in-context"


@dataclass(frozen=True)
class Rescored:
    """A cell, how many answers have other scores now, and the folder that holds them: its own if the version stayed.

    `changed` is None where answers are scored against data that are not here as they were: their scores stay. `made`
    are the parts of its result that were missing or came out otherwise.
    """

    cell: Cell
    changed: int | None
    folder: Path
    made: tuple[str, ...]


def rescore(root: Path, names: Sequence[str]) -> list[Rescored]:
    """Score these cells anew, or all with no names; the yardsticks of a cell come with it.

    A cell of another version of the metrics becomes a new one beside it. Likelihoods stay: they came with the answer.
    Parts of a result that the first versions did not make are made (see membench.analysis.backfill).
    Raises MembenchError for an unknown cell, and where the data are no longer those that were asked.
    """
    every = [c for c in cell_folder.cells(root) if c.status == "done"]
    chosen = [cell_folder.find(root, name) for name in names] if names else every
    grounds = [c for c in every if c.recipe["task"] == GOLD and any(_same_ground(c, other) for other in chosen)]
    wanted = {c.id: c for c in (*grounds, *chosen) if c.status == "done"}
    golds: list[Rescored] = []
    for gold in sorted((c for c in wanted.values() if c.recipe["task"] == GOLD), key=_is_floor):  # the reference first
        golds.append(_rescore(gold, root, golds, parameters_of(gold, every)))
    others = [cell for cell in wanted.values() if cell.recipe["task"] != GOLD]
    return golds + [_rescore(cell, root, golds, parameters_of(cell, every)) for cell in others]


def _is_floor(cell: Cell) -> bool:
    return bool(cell.recipe["method"] != REFERENCE)


def _same_ground(gold: Cell, cell: Cell) -> bool:
    return all(gold.recipe[key] == cell.recipe[key] for key in (*GROUND, "data_hash"))


def _rescore(cell: Cell, root: Path, golds: Sequence[Rescored], parameters: int | None) -> Rescored:
    task, scored = task_of(cell.recipe), True
    if type(task).over is not Task.over:  # its scores need the data
        ground = ground_of(cell.recipe, task)
        task, scored = (ground.task, True) if ground else (task, False)
    near = {g.cell.recipe["method"]: g for g in golds if task.gold_script and _same_ground(g.cell, cell)}
    gold_answers = {name: _answers(read_records(g.folder)) for name, g in near.items()}
    said = {a.question: a.answer for a in gold_answers.get(REFERENCE, ())}
    old = read_records(cell.folder)
    new = _scored_rows(cell, old, task, said) if scored else old
    changed = sum(r["scores"] != before["scores"] for r, before in zip(new, old, strict=True) if r["type"] == "answer")
    recipe = {**cell.recipe, **({"metric_version": METRIC_VERSION} if scored else {})}
    folder = cell_folder.folder_of(root, recipe)
    fresh = dict(zip(("summary", "costs", "counts"), summarise_cell(task, new), strict=True))
    fresh |= derived(cell, task, new, gold_answers, parameters)
    whole = {**cell.result, "id": cell_id(recipe), "recipe": recipe, **fresh}
    made = tuple(name for name in fresh if fresh[name] != cell.result.get(name))
    if changed or folder != cell.folder:
        _move(cell, recipe, folder, new)
        whole["rescored_from"] = cell.id
    if made or folder != cell.folder:
        cell_folder.finish(folder, whole)
    return Rescored(cell, changed if scored else None, folder, made)


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


def _scored_rows(
    cell: Cell, rows: Sequence[dict[str, Any]], task: Task, said: Mapping[str, str]
) -> list[dict[str, Any]]:
    questions = _questions(cell, task, [r for r in rows if r["type"] == "answer"])
    return [_scored(r, task, questions, said) if r["type"] == "answer" else r for r in rows]


def _scored(
    record: Mapping[str, Any], task: Task, questions: Mapping[str, Question], said: Mapping[str, str]
) -> dict[str, Any]:
    scores = record["scores"] | task.score(questions[record["question"]], record["answer"])
    if "fidelity_f1" in scores and record["question"] in said:
        scores["fidelity_f1"] = token_f1(record["answer"], said[record["question"]])
    return {**record, "scores": scores}


def _move(cell: Cell, recipe: dict[str, Any], folder: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Records in the folder of the recipe; what else the cell keeps goes with them."""
    cell_folder.open_cell(folder.parent, recipe)
    for path in cell.folder.iterdir():
        if folder != cell.folder and path.is_file() and path.name not in (FILE, "recipe.json", "result.json"):
            shutil.copy(path, folder / path.name)
    lines = (json.dumps(row, ensure_ascii=False, separators=(",", ":"), allow_nan=False) for row in rows)
    replace_file(folder / FILE, "".join(f"{line}\n" for line in lines).encode())


def _answers(rows: Sequence[Mapping[str, Any]]) -> list[Answer]:
    return [answer_of(row) for row in rows if row["type"] == "answer"]
