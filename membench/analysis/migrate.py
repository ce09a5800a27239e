"""Give cells of earlier versions what their recipes lack, so that a run knows them as done; nothing is played.

What a field says of a cell is read from what is here now: the model's folder that holds the very weights of the cell.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from membench.errors import MembenchError
from membench.io import weights
from membench.io.atomic_files import half_written
from membench.io.hub import cached_only
from membench.store import cell_folder
from membench.store.recipe import MODEL_FILES, cell_id, missing, with_fields

DONE, READY, LEFT = "migrated", "nothing missing", "left as it was"


@dataclass(frozen=True)
class Migrated:
    """A cell's folder as it was and as it is, what became of it, and why, where it was left."""

    before: Path
    folder: Path
    state: str
    reason: str = ""


def migrate(root: Path, models: Sequence[Path] = ()) -> Iterator[Migrated]:
    """Bring every cell under a folder to recipes of today, one after the other; a second call goes on where one ended.

    Fields come from the packaged models in the cache, from models of the hub in its cache, and from the folders
    `models`. Each cell keeps its records, targets and what else its folder holds; its id and its folder's name change.
    Raises MembenchError if there is no such folder, and for a model's folder that cannot be read.
    """
    if not os.path.isdir(root):
        raise MembenchError(f"no folder {root}: name one with stored cells")
    shelf = _Shelf(models)
    for path in sorted(root.iterdir()):
        if not half_written(path.name) and (path / cell_folder.RECIPE).is_file():
            yield _migrated(path, shelf)


def _migrated(folder: Path, shelf: _Shelf) -> Migrated:
    try:
        with cell_folder.lock(folder) as mine:
            if not mine:
                return Migrated(folder, folder, LEFT, "a run is playing it: wait for its end")
            target = _rewritten(folder, shelf)
        if target == folder:
            return Migrated(folder, folder, READY)
        os.rename(folder, target)  # without the lock, which is a file in the folder; no run of today looks there
        return Migrated(folder, target, DONE)
    except MembenchError as error:
        return Migrated(folder, folder, LEFT, str(error))
    except OSError as error:
        return Migrated(folder, folder, LEFT, f"cannot be written: {error.strerror}")


def _rewritten(folder: Path, shelf: _Shelf) -> Path:
    """Give result and recipe their fields; returns what the folder is to be called.

    The result first, then the recipe, then the folder's name: whatever a kill leaves is a whole cell to readers.
    """
    recipe, result = _object(folder / cell_folder.RECIPE), None
    if (folder / cell_folder.RESULT).exists():
        result = _object(folder / cell_folder.RESULT)
        recipe = result["recipe"] if isinstance(result.get("recipe"), dict) else recipe
    if not {"task", "method", "model", "weights_hash"} <= recipe.keys():
        raise MembenchError("its recipe is none that membench wrote")
    whole = with_fields(recipe, {name: shelf.find(name, recipe) for name in missing(recipe)})
    target = cell_folder.folder_of(folder.parent, whole)
    if target != folder and target.exists():
        raise MembenchError(f"{target.name} is there already: delete one of the two")
    if result is not None and result["recipe"] != whole:
        named = {"id": cell_id(whole), "recipe": whole, "migrated_from": result["id"]}
        cell_folder.write_json(folder / cell_folder.RESULT, {**result, **named})
    if _object(folder / cell_folder.RECIPE) != whole:
        cell_folder.write_json(folder / cell_folder.RECIPE, whole)
    return target


def _object(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except ValueError as error:
        raise MembenchError(f"{path.name} is damaged: run the cell again") from error
    if not isinstance(found, dict):
        raise MembenchError(f"{path.name} is damaged: run the cell again")
    return found


class _Shelf:
    """The models that are at hand, by the hash of their weights."""

    def __init__(self, given: Sequence[Path]):
        self._given: dict[str, set[str]] = {}  # hash of the weights: hashes of what stands beside them
        self._here: dict[str, tuple[str, str] | None] = {}  # the same two of a name on this machine
        for folder in given:
            if not folder.is_dir():
                raise MembenchError(f"there is no model folder {folder}")
            self._given.setdefault(weights.weights_hash(folder), set()).add(weights.files_hash(folder))

    def find(self, field: str, recipe: Mapping[str, Any]) -> Any:
        """The value of a missing field. Raises MembenchError with what is not at hand."""
        try:
            if field == MODEL_FILES:
                return self._files(str(recipe["model"]), str(recipe["weights_hash"]))
            names = [name.strip() for name in recipe["settings"]["encoder"].split(",")]
            return [self._files(name, digest) for name, digest in zip(names, recipe["sources"]["encoder"], strict=True)]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise MembenchError("its recipe is none that membench wrote") from error

    def _files(self, name: str, digest: str) -> str:
        if name not in self._here:
            self._here[name] = _named(name)
        here = self._here[name]
        found = {here[1]} if here and here[0] == digest else self._given.get(digest, set())
        if len(found) > 1:
            raise MembenchError(f"two of the given folders hold the weights of {name} beside other files: give one")
        if not found:
            raise MembenchError(f"no model {name} with the weights {digest[:12]} is at hand: --model FOLDER names it")
        return next(iter(found))


def _named(name: str) -> tuple[str, str] | None:
    """Hashes of the weights and of the other files of what this name means on this machine; None if nothing."""
    known = weights.ENCODERS.get(name)
    if known and not weights.fetched(name):
        return known.sha256, known.files_sha256
    try:
        with cached_only():
            folder = weights.resolve(name, offline=True)
        held = weights.file_sha256(folder / "model.safetensors") if known else weights.weights_hash(folder)
        return held, weights.files_hash(folder)
    except MembenchError:  # neither in the cache nor a folder here
        return None
