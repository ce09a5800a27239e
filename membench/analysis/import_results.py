"""Results of other harnesses as cells of a folder, so that tables, tests and the report judge them as any others."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from membench.api import settings_of
from membench.errors import MembenchError
from membench.imported.results import Matched, Results, matched
from membench.imported.rows import imported_origin
from membench.imported.task import IMPORTED
from membench.io.atomic_files import replace_file
from membench.store import cell_folder
from membench.store.cell_folder import RESULT, Cell, cell_id, folder_of
from membench.store.recipe import TABLE
from membench.store.records import FILE, digest
from membench.store.summary import summarise_cell

UNKNOWN = ("weights_hash", "model_files_hash", "dtype", "style", "prompt_hash")  # parts of a recipe
_SAME_ROW = (*TABLE, "method", "settings", "seed")


@dataclass(frozen=True)
class BroughtIn:
    """Folders of cells that were written, of those that were there already, and which scores were left out."""

    written: tuple[Path, ...]
    there: tuple[Path, ...]
    left_out: tuple[str, ...]


def bring_in(results: Sequence[Results], into: Path) -> BroughtIn:
    """Store each of these results as a cell; the same again finds it there.

    Nothing is written before all is known to fit. Raises MembenchError for results that are not on the same items, and
    for one in whose row of the folder's tables other results stand.
    """
    found = matched(results)
    recipes = [_recipe(one, found) for one in found.results]
    stored = list(cell_folder.cells(into)) if into.is_dir() else []
    for recipe, one in zip(recipes, found.results, strict=True):
        _refuse_other_results(recipe, one, stored)
    there = {cell.id for cell in stored if not cell.damage and cell.status == "done"}
    folders = {folder_of(into, recipe): cell_id(recipe) in there for recipe in recipes}
    for recipe, one in zip(recipes, found.results, strict=True):
        if cell_id(recipe) not in there:
            _store(into, recipe, one, found)
    written, kept = ([f for f, is_there in folders.items() if is_there is want] for want in (False, True))
    return BroughtIn(tuple(written), tuple(kept), found.left_out)


def _recipe(one: Results, found: Matched) -> dict[str, Any]:
    """What identifies imported results: what was asked, how it was scored, whose they are, and the file's bytes."""
    return {
        "task": IMPORTED, "task_settings": json.loads(json.dumps(settings_of(found.task))),
        "data": f"items-{found.digest[:8]}", "data_hash": found.digest,
        "limit": len({item.context for item in one.items}), "model": one.harness,
        **dict.fromkeys(UNKNOWN, "unknown"), "metric_version": 0,
        "method": one.method, "method_version": 0, "settings": dict(one.settings), "seed": one.seed,
        "defaults": dict(one.defaults), "sources": {**one.sources, "version": one.version, "sha256": one.sha256},
    }  # fmt: skip


def _refuse_other_results(recipe: dict[str, Any], one: Results, stored: Sequence[Cell]) -> None:
    for cell in stored:
        same_row = all(cell.recipe.get(name) == recipe[name] for name in _SAME_ROW if name in recipe)
        if same_row and imported_origin(cell.recipe, ()) == imported_origin(recipe, ()) and cell.id != cell_id(recipe):
            raise MembenchError(
                f"{one.where}: {cell.folder} holds other results of {one.method}, seed {one.seed}, on these items: "
                "name another folder with -o, or delete that one"
            )


def _store(into: Path, recipe: dict[str, Any], one: Results, found: Matched) -> None:
    """Recipe, records, result; the result comes last, so that a kill leaves no cell that seems to be done."""
    folder = cell_folder.open_cell(into, recipe)
    with cell_folder.lock(folder) as mine:
        if not mine:
            raise MembenchError(f"{folder} is being written: import again when that is over")
        (folder / RESULT).unlink(missing_ok=True)
        records = list(_records(one, found))
        lines = (json.dumps(record, ensure_ascii=False, separators=(",", ":"), allow_nan=False) for record in records)
        replace_file(folder / FILE, "".join(f"{line}\n" for line in lines).encode())
        parts = dict(zip(("summary", "costs", "counts"), summarise_cell(found.task, records), strict=True))
        reason = f"results of {one.harness}, as it scored them; what writing and reading cost is not known"
        head = {"schema": cell_folder.SCHEMA, "id": cell_id(recipe), "recipe": recipe, "status": "done"}
        cell_folder.finish(folder, head | {"reason": reason, "label": one.method} | parts, digest(folder))


def _records(one: Results, found: Matched) -> Iterator[dict[str, Any]]:
    """An answer an item, in one episode whose contexts all were at hand; nothing is known of seconds and tokens."""
    contexts = list(dict.fromkeys(item.context for item in one.items))
    place = {context: k for k, context in enumerate(contexts, 1)}
    here = {"episode": IMPORTED, "step": 0}
    for item in one.items:
        yield {
            "type": "answer", **here, "written": len(contexts), "position": place[item.context],
            "question": item.name, "context": item.context, "tags": {}, "text": item.question or item.name,
            "gold": list(item.gold), "answer": item.answer,
            "scores": {name: item.scores[name] for name in found.task.scores},
        }  # fmt: skip
    yield {
        "type": "ask", **here, "questions": len(one.items), "read": 0, "contexts": contexts,
        "seconds": 0.0, "tokens": {},
    }  # fmt: skip
