"""What identifies a cell: its recipe's hash, and which parts of a recipe make cells comparable."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

GOLD = "gold"  # the script that floor and reference are played on


GROUND = ("data", "limit", "model", "weights_hash", "dtype", "style", "prompt_hash", "metric_version")


TABLE = (
    "task", "data", "model", "limit", "task_settings", "data_hash", "weights_hash", "dtype", "style", "prompt_hash",
    "metric_version",
)  # fmt: skip


def cell_id(recipe: Mapping[str, Any]) -> str:
    """The first 16 hex digits of the sha256 of the recipe's canonical JSON.

    `defaults` is left out: it tells tables which settings to print and changes no result.
    """
    identity = {key: value for key, value in recipe.items() if key != "defaults"}
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
