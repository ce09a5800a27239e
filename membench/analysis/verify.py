"""Recompute every stored number from its records, and say which do not come out as they stand."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from membench.analysis.several_folders import once
from membench.api import Task
from membench.errors import MembenchError
from membench.planning.restore import Ground, ground_of, task_of
from membench.store.cell_folder import Cell, cells, read_targets, records_of, sound_records, sound_targets
from membench.store.costs import ledger_of
from membench.store.question_subsets import compared
from membench.store.recipe import FLOOR, GOLD, GROUND, REFERENCE
from membench.store.records import FILE, Damaged, answer_of, read_records
from membench.store.script import refuse_unfinished, script_of
from membench.store.summary import summarise_cell, summary_of
from membench.targets.overlap import audit, overlaps
from membench.values import DIGITS, Answer, Question

Grounds = dict[str, Ground | None]  # what cells were played on, once for all that share it
LONGEST = 80  # letters of a value that is named
TOLERANCE = 1.5 * 10**-DIGITS  # a rounding apart


@dataclass(frozen=True)
class Verdict:
    """A cell, and what of it does not come out of its records; nothing if all does."""

    cell: Cell
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether every number came out."""
        return not self.problems


def verify(*roots: Path) -> list[Verdict]:
    """Recompute all played cells under these folders.

    Of several copies of a cell there is one verdict for those that come out, and one for each that does not; a play
    that failed has none where another one came out. Raises MembenchError if there is no such folder, and for copies
    that come out and have other answers.
    """
    every = [cell for root in dict.fromkeys(roots) for cell in cells(root)]
    golds = [cell for cell in every if cell.recipe["task"] == GOLD and _is_sound(cell)]
    grounds: Grounds = {}
    found = [
        Verdict(cell, tuple(dict.fromkeys(_problems(cell, golds, grounds))))
        for cell in sorted(every, key=lambda cell: cell.folder.name)
    ]
    counted = {cell.id: cell for cell in once(verdict.cell for verdict in found if verdict.ok)}
    return [v for v in found if counted.get(v.cell.id, v.cell) is v.cell or not (v.ok or _has_failed(v.cell))]


def _is_sound(cell: Cell) -> bool:
    try:
        return bool(records_of(cell))
    except Damaged:
        return False


def _has_failed(cell: Cell) -> bool:
    """In its play, not in its files."""
    return cell.status == "failed" and not cell.damage


def _problems(cell: Cell, golds: Sequence[Cell], grounds: Grounds) -> Iterator[str]:
    if cell.damage:
        yield cell.damage
        return
    try:
        sound_targets(cell.folder, cell.result)
    except Damaged as damage:
        yield str(damage)
    if cell.status == "failed" and "records_sha256" not in cell.result:
        yield f"it has no records: {cell.result.get('reason')}"
        return
    try:
        sound_records(cell.folder, cell.result)
    except Damaged as damage:
        yield str(damage)
        if not (cell.folder / FILE).exists():
            return
    try:
        records = read_records(cell.folder)
        yield from _recomputed(cell, records, golds, grounds)
    except MembenchError as error:
        yield str(error)
    except Exception as error:  # a task's own code, on records that no run of it wrote
        yield f"{cell.recipe['task']} cannot sum up these records: {type(error).__name__}: {error}"


def _recomputed(
    cell: Cell, records: Sequence[Mapping[str, Any]], golds: Sequence[Cell], grounds: Grounds
) -> Iterator[str]:
    task = task_of(cell.recipe)
    summary, costs, counts = summarise_cell(task if cell.status == "done" else None, records)
    fresh = {"summary": summary, "costs": costs, "counts": counts}
    for key, value in fresh.items():
        yield from _differences(key, cell.result[key], value)
    known = json.dumps([cell.recipe[key] for key in ("task", "task_settings", "data", "limit", "data_hash")])
    if known not in grounds:
        grounds[known] = ground_of(cell.recipe, task)
    ground = grounds[known]
    yield from _script_problems(cell, records, ground)
    yield from _yardstick_problems(cell, task, records, golds)
    yield from _later_problems(cell, task, records, golds)
    yield from _audit_problems(cell, ground, records)


def _script_problems(cell: Cell, records: Sequence[Mapping[str, Any]], ground: Ground | None) -> Iterator[str]:
    """Each step of a cell that is done is closed once; which steps those are, only the data can tell."""
    if cell.status != "done":
        return
    if not records:
        yield f"{cell.folder / FILE} is empty"
    elif ground:
        data = replace(ground.data, held_out=()) if cell.recipe["task"] == GOLD else ground.data
        try:
            episodes = ground.task.episodes(data, cell.recipe["seed"])
            refuse_unfinished(records, script_of(episodes), cell.folder / FILE)
        except Damaged as damage:
            yield str(damage)


def _yardstick_problems(
    cell: Cell, task: Task, records: Sequence[Mapping[str, Any]], golds: Sequence[Cell]
) -> Iterator[str]:
    """Floor and reference: they must come out of the records of a gold cell that was played on the same ground."""
    asked = {record["question"] for record in records if record["type"] == "answer"}
    for name, stored in (cell.result.get("yardsticks") or {}).items():
        tried = []
        for gold in golds:
            same = all(gold.recipe.get(key) == cell.recipe.get(key) for key in GROUND)
            if same and gold.recipe["method"] == name and gold.id != cell.id:
                found = [r for r in read_records(gold.folder) if r["type"] == "answer" and r["question"] in asked]
                fresh = summary_of(task, [answer_of(record) for record in found])
                tried.append(list(_differences(f"yardsticks.{name}", stored, fresh)))
        if not tried:
            yield f"yardsticks.{name}: the cell that it came from is not here"
        else:
            yield from min(tried, key=len)


def _later_problems(
    cell: Cell, task: Task, records: Sequence[Mapping[str, Any]], golds: Sequence[Cell]
) -> Iterator[str]:
    """Ledger, overlap and controls, which cells of the first versions lack."""
    result = cell.result
    if stored := result.get("ledger"):
        yield from _differences("ledger", stored, ledger_of(records, stored["parameters"], stored.get("prices")))
    answers = [answer_of(record) for record in records if record["type"] == "answer"]
    overlap = result.get("overlap") or {}
    pairs = [pair for group in read_targets(cell.folder).values() for pair in group]
    if overlap and pairs:
        asked = {a.question: a.text for a in answers}
        fresh = overlaps(asked, pairs)
        yield from _differences("overlap", {q: x for q, x in overlap.items() if q in asked}, fresh)
    if stored := result.get("controls"):
        tried = []
        for pair_of_golds in _pairs(cell, golds):
            fresh_controls = compared(task, answers, pair_of_golds, overlap)["controls"]
            tried.append(list(_differences("controls", stored, fresh_controls)))
        yield from min(tried, key=len)


def _audit_problems(cell: Cell, ground: Ground | None, records: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The leak gate, by the stored targets: of all questions where the data are here, else of those that were asked."""
    stored = cell.result.get("audit")
    if not stored:
        return
    targets = read_targets(cell.folder)
    if ground:
        data = ground.data
        questions = [q for context in data.contexts for q in context.questions]
        yield from _differences("audit", stored, audit(targets, questions, {c.id: c.text for c in data.contexts}))
        return
    rows = {r["question"]: r for r in records if r["type"] == "answer"}
    asked = [Question(name, r["text"], tuple(r["gold"]), r["context"]) for name, r in rows.items()]
    found = audit(targets, asked)
    # What was asked may be more than the gate looked at, as of contexts held out, and less.
    leaked = [q for q in stored["leaked"] if q not in rows or q in found["leaked"]]
    rate = len(leaked) / max(1, stored["questions"])
    yield from _differences("audit", stored, {**stored, "pairs": found["pairs"], "leaked": leaked, "leak_rate": rate})


def _pairs(cell: Cell, golds: Sequence[Cell]) -> Iterator[dict[str, list[Answer]]]:
    """The answers of floor and reference on this cell's ground: every choice of the cells that there are, and none."""
    found: dict[str, list[list[Answer]]] = {FLOOR: [], REFERENCE: []}
    for gold in golds:
        if all(gold.recipe.get(key) == cell.recipe.get(key) for key in GROUND) and gold.recipe["method"] in found:
            rows = [answer_of(r) for r in read_records(gold.folder) if r["type"] == "answer"]
            found[gold.recipe["method"]].append(rows)
    yield {}
    for floor, reference in itertools.product(found[FLOOR], found[REFERENCE]):
        yield {FLOOR: floor, REFERENCE: reference}


def _differences(where: str, stored: Any, fresh: Any) -> Iterator[str]:
    """Every leaf of two trees of plain data that is not the same, as "path: stored X, recomputed Y"."""
    if isinstance(stored, Mapping) and isinstance(fresh, Mapping):
        for key in dict.fromkeys((*stored, *fresh)):
            yield from _differences(f"{where}.{key}", stored.get(key), fresh.get(key))
    elif isinstance(stored, list) and isinstance(fresh, list) and len(stored) == len(fresh):
        for k, pair in enumerate(zip(stored, fresh, strict=True)):
            yield from _differences(f"{where}[{k}]", *pair)
    elif not _same(stored, fresh):
        yield f"{where}: stored {_brief(stored)}, recomputed {_brief(fresh)}"


def _brief(value: Any) -> str:
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _same(stored: Any, fresh: Any) -> bool:
    numbers = isinstance(stored, (int, float)) and isinstance(fresh, (int, float))
    return abs(stored - fresh) <= TOLERANCE if numbers else bool(stored == fresh)
