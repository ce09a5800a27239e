"""What identifies a cell: its recipe's hash, and which parts of a recipe make cells comparable."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

GOLD = "gold"  # the script that floor and reference are played on
FLOOR, REFERENCE = "base", "in-context"  # the methods that are played on it
YARDSTICKS = (REFERENCE, FLOOR)  # the reference first: every other cell is compared with it


# `model_files_hash` is missing in recipes of the first versions, see membench.analysis.migrate
GROUND = (
    "data", "limit", "model", "weights_hash", "model_files_hash", "dtype", "style", "prompt_hash", "metric_version",
)  # fmt: skip


TABLE = (
    "task", "data", "model", "limit", "task_settings", "data_hash", "weights_hash", "model_files_hash", "dtype",
    "style", "prompt_hash", "metric_version",
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
    names = (re.sub(r"[^A-Za-z0-9._-]+", "-", str(recipe[key]))[:40] for key in ("task", "method", "model"))
    return root / "--".join((*names, cell_id(recipe)[:12]))
