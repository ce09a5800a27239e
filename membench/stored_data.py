"""The data that a stored cell was played on, as they are on this machine now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from membench.api import Dataset, Task
from membench.errors import MembenchError
from membench.hub import cached_only


class Ground(NamedTuple):
    """Data, and the task fitted to them."""

    data: Dataset
    task: Task


def ground_of(recipe: Mapping[str, Any], task: Task) -> Ground | None:
    """What a cell was played on, if it is here and as it was; nothing is fetched. Else None."""
    from membench.plan import data_hash, load_data  # brings torch, which a cell without a need of data can do without

    try:
        with cached_only():
            data = load_data(recipe["data"], task, recipe["limit"])
        fitted = task.over(data)
    except MembenchError:  # a file that is gone, a data set that is not in the cache
        return None
    digest = fitted.provenance().get("data_hash", data_hash(data.contexts))
    return Ground(data, fitted) if digest == recipe["data_hash"] else None
