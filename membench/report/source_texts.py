"""The texts that questions are about, as far as the data are on this machine as they were played."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from membench.errors import MembenchError
from membench.planning.restore import Ground, ground_of, task_of
from membench.report.board import Board
from membench.values import Context

Texts = Mapping[str, str]  # by the id of their context

_SAME = ("task", "task_settings", "data", "limit", "data_hash")  # of a recipe: what its data are


def texts_of(boards: Sequence[Board]) -> dict[str, Texts]:
    """The texts of each board by its name; a board whose data are not here, or not as they were, has none."""
    grounds: dict[str, Texts] = {}
    found = {}
    for board in boards:
        key = json.dumps([board.table.recipe[name] for name in _SAME], sort_keys=True)
        if key not in grounds:
            grounds[key] = _texts(board.table.recipe)
        found[board.name] = grounds[key]
    return found


def _texts(recipe: Mapping[str, Any]) -> Texts:
    try:
        ground: Ground | None = ground_of(recipe, task_of(recipe))
    except MembenchError:  # a task that is not installed here, or no longer has these settings
        return {}
    if ground is None:
        return {}
    data = ground.data
    return {c.id: c.text for context in (*data.contexts, *data.held_out, *data.conflicts) for c in _both(context)}


def _both(context: Context) -> Sequence[Context]:
    """A text, and the one that contradicts it later."""
    return (context, context.revision) if context.revision else (context,)
