"""What identifies a cell: its recipe's hash, which parts make cells comparable, what earlier versions lack."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from membench.io.atomic_files import half_written

GOLD = "gold"  # the script that floor and reference are played on
FLOOR, REFERENCE = "base", "in-context"  # the methods that are played on it
YARDSTICKS = (REFERENCE, FLOOR)  # the reference first: every other cell is compared with it


# Missing in recipes of the first versions, see membench.analysis.migrate.
MODEL_FILES = "model_files_hash"  # of what stands beside the model's weights
ENCODER_FILES = "encoder_files"  # the same of each model of an encoder, among the sources

FOLDER_NAMES = ("task", "method", "model")  # what a cell's folder is called by, in front of its id

# `reader` is in recipes of models that are read slowly alone, `engine` where another program decodes.
GROUND = (
    "data", "limit", "model", "weights_hash", "model_files_hash", "dtype", "reader", "engine", "style",
    "prompt_hash", "metric_version",
)  # fmt: skip


TABLE = (
    "task", "data", "model", "limit", "task_settings", "data_hash", "weights_hash", "model_files_hash", "dtype",
    "reader", "engine", "style", "prompt_hash", "metric_version",
)  # fmt: skip


def cell_id(recipe: Mapping[str, Any]) -> str:
    """The first 16 hex digits of the sha256 of the recipe's canonical JSON.

    `defaults` is left out: it tells tables which settings to print and changes no result.
    """
    identity = {key: value for key, value in recipe.items() if key != "defaults"}
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def folder_of(root: Path, recipe: Mapping[str, Any]) -> Path:
    """Where a cell is stored: ROOT/task--method--model--id; names are for the eye, the id alone identifies."""
    return root / "--".join((*(plain_name(str(recipe[key])) for key in FOLDER_NAMES), cell_id(recipe)[:12]))


def plain_name(name: str) -> str:
    """A name as the names of folders have it."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)[:40]


def named_so(folder: Path) -> dict[str, Any]:
    """A recipe of the folder's name alone, so that the cell stands somewhere; no other one can have it."""
    name = os.fsencode(folder.name).decode(errors="backslashreplace")
    task, method, model = (*name.split("--"), "", "", "")[:3]
    texts = ("data", "dtype", "style", "weights_hash", "prompt_hash")
    return {
        "task": task or "unknown", "method": method or "unknown", "model": model or "unknown",
        "data_hash": name, **dict.fromkeys(texts, "unknown"), "task_settings": {}, "settings": {},
        **dict.fromkeys(("limit", "metric_version", "method_version", "seed"), 0),
    }  # fmt: skip


def trained_on_its_data(recipe: Mapping[str, Any]) -> str:
    """This cell's data, or its source or argument, where weights that the method brings have seen it (`trained_on`)."""
    source, _, argument = str(recipe["data"]).partition(":")
    plain = argument.rpartition(":")[0], argument.rpartition("+")[0]  # without how it is read, or what is added to it
    names = {name.casefold(): name for name in (str(recipe["data"]), source, argument, *plain) if name}
    return next((names[key] for n in _declared(recipe.get("sources")) if (key := str(n).casefold()) in names), "")


def _declared(sources: Any) -> Iterator[Any]:
    if isinstance(sources, dict):
        declared = sources.get("trained_on")
        yield from declared if isinstance(declared, list) else ()
        for inner in sources.values():
            yield from _declared(inner)


def missing(recipe: Mapping[str, Any]) -> list[str]:
    """The fields that a recipe should have and has not."""
    sources = recipe.get("sources") or {}
    lacks_encoder = "encoder" in sources and ENCODER_FILES not in sources
    return [*([] if MODEL_FILES in recipe else [MODEL_FILES]), *([ENCODER_FILES] if lacks_encoder else [])]


def with_fields(recipe: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe with these fields, each in its place."""
    whole: dict[str, Any] = {}
    for key, value in recipe.items():
        whole[key] = value
        if key == "weights_hash" and MODEL_FILES in found:
            whole[MODEL_FILES] = found[MODEL_FILES]
    if ENCODER_FILES in found:
        whole["sources"] = {**recipe["sources"], ENCODER_FILES: found[ENCODER_FILES]}
    return whole


def stored_before(folder: Path, recipe: Mapping[str, Any]) -> Path | None:
    """The folder of this very cell as an earlier version stored it; `folder` is how it is called now."""
    named = {MODEL_FILES: recipe.get(MODEL_FILES), ENCODER_FILES: recipe["sources"].get(ENCODER_FILES)}
    for path in sorted(folder.parent.glob(f"{glob.escape(folder.name.rpartition('--')[0])}--*/recipe.json")):
        if half_written(path.parent.name):
            continue
        try:
            old = json.loads(path.read_bytes())
        except (OSError, ValueError):  # what cannot be read is no cell of any version
            continue
        lacks = missing(old) if isinstance(old, dict) else []
        if lacks and cell_id(with_fields(old, {name: named[name] for name in lacks})) == cell_id(recipe):
            return path.parent
    return None
