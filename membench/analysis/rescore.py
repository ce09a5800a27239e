"""Score stored answers anew with the scorer of today, without a model."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from membench.analysis.backfill import derived, parameters_of
from membench.analysis.rescored_rows import judged_rows, scored_rows
from membench.api import Task
from membench.errors import MembenchError
from membench.io.atomic_files import CannotWrite, replace_file
from membench.io.plain_files import NoFile, read_plain
from membench.metrics.answer_scores import METRIC_VERSION
from membench.planning.restore import ground_of, task_of
from membench.store import cell_folder
from membench.store.cell_folder import Cell
from membench.store.recipe import GOLD, GROUND, REFERENCE, cell_id
from membench.store.records import FILE, Damaged, answer_of, digest, read_records
from membench.store.stored_cells import VERSION
from membench.store.summary import summarise_cell
from membench.talks.judge import Judge
from membench.talks.measures import TASK
from membench.values import Answer

KEPT = (cell_folder.TARGETS, "reference.safetensors")  # of a cell, beside its records


@dataclass(frozen=True)
class Rescored:
    """A cell, how many answers have other scores now, and the folder that holds them: its own if the version stayed.

    `changed` is None where answers are scored against data that are not here as they were: their scores stay. `made`
    are the parts of its result that were missing or came out otherwise. A cell whose records are not those that its
    result was made of stays as it is, as does one that is being played; `refused` then says so. `dropped` are floor and
    reference of an earlier version that nothing here has as this one scores them.
    """

    cell: Cell
    changed: int | None
    folder: Path
    made: tuple[str, ...]
    refused: str | None = None
    dropped: tuple[str, ...] = ()


def rescore(root: Path, names: Sequence[str], judge: Judge | None = None) -> list[Rescored]:
    """Score these cells anew, or all with no names; the yardsticks of a cell come with it.

    With a judge: the cells of `conversation` among them, and those on the same data and model, get its verdicts.

    A cell of another version of the metrics becomes a new one beside it, which all tables then have in its place; the
    old one is scored again only if it is named. Likelihoods stay: they came with the answer.
    Parts of a result that the first versions did not make are made (see membench.analysis.backfill).
    Raises MembenchError for an unknown cell; of a cell that is named also where its task is not installed or no longer
    as it was, and where the data are no longer those that were asked, which without names leave it as it is.
    """
    found = list(cell_folder.checked(cell_folder.cells(root)))
    every = [c for c in found if c.status == "done"]
    by_folder = {c.folder: c for c in found}
    latest = cell_folder.newest(every)
    chosen = [by_folder[cell_folder.find(root, name).folder] for name in names] or [*latest, *_damaged(found)]
    chosen = _judgeable(chosen, every) if judge else chosen
    grounds = [c for c in latest if c.recipe["task"] == GOLD and any(_is_yardstick(c, other) for other in chosen)]
    wanted = {c.id: c for c in (*grounds, *chosen) if c.status == "done"}
    golds: list[Rescored] = []
    for gold in sorted((c for c in wanted.values() if c.recipe["task"] == GOLD), key=_is_floor):  # the reference first
        golds.append(_tried(gold, root, golds, parameters_of(gold, every), judge, alone=bool(names)))
    others = [cell for cell in wanted.values() if cell.recipe["task"] != GOLD]
    out = [*golds, *(_tried(c, root, golds, parameters_of(c, every), judge, alone=bool(names)) for c in others)]
    return out + [Rescored(cell, None, cell.folder, (), cell.damage) for cell in _damaged(chosen)]


def _judgeable(chosen: Sequence[Cell], every: Sequence[Cell]) -> list[Cell]:
    """The conversations on the grounds of those that are chosen, so that their yardsticks are judged for all."""
    mine = [c for c in chosen if c.status == "done" and c.recipe["task"] == TASK]
    if not mine:
        raise MembenchError(f"no cell of the task {TASK} is done here, and --judge is for no other")
    return [c for c in every if c.recipe["task"] == TASK and any(_same_ground(c.recipe, m.recipe) for m in mine)]


def _damaged(cells: Sequence[Cell]) -> list[Cell]:
    return [cell for cell in cells if cell.damage]


def _tried(
    cell: Cell, root: Path, golds: Sequence[Rescored], parameters: int | None, judge: Judge | None, alone: bool
) -> Rescored:
    """Score a cell. What is wrong with its task or its data is raised if it was named, else it is told of it alone."""
    try:
        return _locked(cell, root, golds, parameters, judge)
    except CannotWrite:
        raise
    except MembenchError as trouble:
        if alone or judge:
            raise
        return Rescored(cell, None, cell.folder, (), f"{cell.folder}: {trouble}")


def _locked(cell: Cell, root: Path, golds: Sequence[Rescored], parameters: int | None, judge: Judge | None) -> Rescored:
    """Score a cell while no run plays it, as it lies on the disk then; one that cannot be is left as it is."""
    try:
        if cell.recipe[VERSION] > METRIC_VERSION:
            raise Damaged(f"{cell.folder} was scored by a newer membench: upgrade membench")
        cell_folder.refuse_odd(cell.folder)
        task, scored = _task(cell)
        recipe = {**cell.recipe, **({VERSION: METRIC_VERSION} if scored else {})}
        _refuse_another(cell, root, recipe)
        with _mine(cell.folder):
            result = cell_folder.read_result(cell.folder)
            if result is None or result["status"] != "done":
                raise Damaged(f"{cell.folder} is no longer done: run the same command again")
            fresh = Cell(cell.folder, result)
            sound = [g for g in golds if not g.refused]
            return _rescore(fresh, root, recipe, task, scored, sound, parameters, judge)
    except (Damaged, NoFile) as trouble:
        return Rescored(cell, None, cell.folder, (), str(trouble))


@contextlib.contextmanager
def _mine(folder: Path) -> Iterator[None]:
    with cell_folder.lock(folder) as mine:
        if not mine:
            raise Damaged(f"{folder} is being played: score it when that run is over")
        yield


def _refuse_another(cell: Cell, root: Path, recipe: Mapping[str, Any]) -> None:
    """Raise Damaged where the folder that the scored cell would have holds a play that was not scored from it."""
    if recipe == cell.recipe:
        return
    target = cell_folder.folder_of(root, recipe)
    left = f"{cell.folder} is left as it is"
    try:
        stored = cell_folder.read_result(target)
    except cell_folder.Newer:
        raise
    except Damaged as damage:
        if not _has_answers_of(target, cell):
            raise Damaged(f"{damage}, and its records are not those of {cell.folder}: run its command again") from None
        return  # made anew
    if stored and stored["status"] == "done":
        if stored.get("rescored_from") != cell.id:
            raise Damaged(f"{target} is another play of this cell, scored by this version: {left}")
    elif stored or (read_records(target) and not _has_answers_of(target, cell)):
        raise Damaged(f"{target} is another play of this cell, by this version, and not done: {left}")


def _has_answers_of(folder: Path, cell: Cell) -> bool:
    """Whether the records there are those of this cell but for their scores."""
    own, other = ([{**r, "scores": None} for r in read_records(place)] for place in (cell.folder, folder))
    return own == other


def _is_floor(cell: Cell) -> bool:
    return bool(cell.recipe["method"] != REFERENCE)


def _is_yardstick(gold: Cell, cell: Cell) -> bool:
    """Whether it is one of this cell as it is stored, or as it is scored now."""
    return any(_same_ground(gold.recipe, {**cell.recipe, VERSION: v}) for v in (cell.recipe[VERSION], METRIC_VERSION))


def _same_ground(gold: Mapping[str, Any], recipe: Mapping[str, Any]) -> bool:
    return all(gold.get(key) == recipe.get(key) for key in (*GROUND, "data_hash"))


def _task(cell: Cell) -> tuple[Task, bool]:
    """The cell's task, and whether it can score answers: one that needs its data cannot where they are gone."""
    task = task_of(cell.recipe)
    if type(task).over is Task.over:
        return task, True
    ground = ground_of(cell.recipe, task)
    return (ground.task, True) if ground else (task, False)


def _rescore(
    cell: Cell, root: Path, recipe: dict[str, Any], task: Task, scored: bool, golds: Sequence[Rescored],
    parameters: int | None, judge: Judge | None,
) -> Rescored:  # fmt: skip
    old = cell_folder.records_of(cell)
    gold_answers = _gold_answers(golds, recipe) if task.gold_script else {}
    said = {a.question: a.answer for a in gold_answers.get(REFERENCE, ())}
    new = scored_rows(cell, old, task, said, rose=recipe != cell.recipe) if scored else old
    unread = judge.unread if judge else 0
    new = judged_rows(new, judge) if judge else new
    changed = sum(r["scores"] != before["scores"] for r, before in zip(new, old, strict=True) if r["type"] == "answer")
    fresh = dict(zip(("summary", "costs", "counts"), summarise_cell(task, new), strict=True))
    fresh |= derived(cell, task, new, gold_answers, parameters, rose=recipe != cell.recipe)
    whole = {**cell.result, "id": cell_id(recipe), "recipe": recipe, **fresh}
    whole |= {"judge": {**judge.identity, "unread": judge.unread - unread}} if judge else {}
    made = tuple(name for name in fresh if fresh[name] != cell.result.get(name))
    dropped = tuple(name for name in cell.result.get("yardsticks") or {} if name not in whole["yardsticks"])
    if recipe != cell.recipe:
        folder = cell_folder.open_cell(root, recipe)
        with _mine(folder):
            _refuse_another(cell, root, recipe)
            _store(cell, folder, new, whole)
    else:
        folder = cell.folder
        if changed:
            _store(cell, folder, new, whole)
        elif made or whole.get("judge") != cell.result.get("judge"):
            cell_folder.finish(folder, whole, digest(folder))
    return Rescored(cell, changed if scored else None, folder, made, dropped=dropped)


def _gold_answers(golds: Sequence[Rescored], recipe: Mapping[str, Any]) -> dict[str, list[Answer]]:
    """The answers of floor and reference, by method, as the version of this recipe scored them."""
    found = {}
    for gold in golds:
        now = {**gold.cell.recipe, VERSION: METRIC_VERSION}
        for folder, scored in {gold.cell.folder: gold.cell.recipe, gold.folder: now}.items():
            if _same_ground(scored, recipe):
                found[gold.cell.recipe["method"]] = _answers(_stored_records(folder))
    return found


def _store(cell: Cell, folder: Path, rows: Sequence[Mapping[str, Any]], result: Mapping[str, Any]) -> None:
    """Records and result in the folder of the recipe; what else the cell keeps goes with them.

    A result that was there goes first, so that a kill in between leaves a cell that a run finishes from its records.
    """
    for path in cell.folder.iterdir():
        if folder != cell.folder and path.is_file() and path.name in KEPT:
            replace_file(folder / path.name, read_plain(path))
    (folder / cell_folder.RESULT).unlink(missing_ok=True)
    lines = (json.dumps(row, ensure_ascii=False, separators=(",", ":"), allow_nan=False) for row in rows)
    replace_file(folder / FILE, "".join(f"{line}\n" for line in lines).encode())
    source = {} if folder == cell.folder else {"rescored_from": cell.id}
    cell_folder.finish(folder, {**result, **source}, digest(folder))


def _stored_records(folder: Path) -> list[dict[str, Any]]:
    result = cell_folder.read_result(folder)
    if result is None:
        raise Damaged(f"{folder} is no longer done: run the same command again")
    return cell_folder.sound_records(folder, result)


def _answers(rows: Sequence[Mapping[str, Any]]) -> list[Answer]:
    return [answer_of(row) for row in rows if row["type"] == "answer"]
