"""What recipes of earlier versions lack: such a cell is whole, and a run does not know it as one that is done."""

from __future__ import annotations

import glob
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from membench.store.recipe import cell_id

MODEL_FILES = "model_files_hash"  # of what stands beside the model's weights
ENCODER_FILES = "encoder_files"  # the same of each model of an encoder, among the sources


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
        try:
            old = json.loads(path.read_bytes())
        except (OSError, ValueError):  # what cannot be read is no cell of any version
            continue
        lacks = missing(old) if isinstance(old, dict) else []
        if lacks and cell_id(with_fields(old, {name: named[name] for name in lacks})) == cell_id(recipe):
            return path.parent
    return None
