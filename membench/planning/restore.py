"""The data that a stored cell was played on, as they are on this machine now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from membench.api import Task
from membench.errors import MembenchError
from membench.imported.task import IMPORTED, Imported
from membench.io.hub import cached_only
from membench.plugins import registry
from membench.store.recipe import GOLD
from membench.values import Dataset


def task_of(recipe: Mapping[str, Any]) -> Task:
    """The task that a recipe names, with its settings. Raises MembenchError if it is not installed or not as it was."""
    name = recipe["task"]
    if name == GOLD:
        from membench.planning.gold_script import Gold  # brings torch, which nothing else here needs

        return Gold()
    settings = {k: tuple(v) if isinstance(v, list) else v for k, v in recipe["task_settings"].items()}
    try:
        task: Task = (Imported if name == IMPORTED else registry.load("tasks", name))(**settings)
    except TypeError as error:
        raise MembenchError(f"task {name} no longer has these settings: {error}") from None
    return task


class Ground(NamedTuple):
    """Data, and the task fitted to them."""

    data: Dataset
    task: Task


def ground_of(recipe: Mapping[str, Any], task: Task) -> Ground | None:
    """What a cell was played on, if it is here and as it was; nothing is fetched. Else None."""
    from membench.planning.plan import (  # brings torch, which a cell without a need of data can do without
        data_hash,
        load_data,
    )

    try:
        with cached_only():
            data = load_data(recipe["data"], task, recipe["limit"])
        fitted = task.over(data)
    except MembenchError:  # a file that is gone, a data set that is not in the cache
        return None
    digest = fitted.provenance().get("data_hash", data_hash(data.contexts))
    return Ground(data, fitted) if digest == recipe["data_hash"] else None
