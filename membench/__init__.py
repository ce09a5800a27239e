"""membench: one harness for the memories of language models. `import membench` imports nothing heavy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

__version__ = "0.1.0"
__all__ = ["leaderboard", "run"]


def run(methods: str | Sequence[str], tasks: str | Sequence[str], **options: Any) -> list[dict[str, Any]]:
    """Play the cells that are missing and return the results of all, as stored in each cell's `result.json`.

    Names are sequences or comma lists. `options` are the fields of membench.planning.request.Request: data, model,
    seeds, limit, method_settings, task_settings, output, overwrite, offline, device, dtype, style, yardsticks,
    trust_remote_code, base_url; and who plays (membench.crew.workforce): workers, executor, address,
    executor_settings, shard. Raises MembenchError for wrong input, before anything is played.
    """
    from membench.crew.workforce import PARTS, workforce
    from membench.io.user_files import user_path
    from membench.planning.request import Request
    from membench.plugins import registry

    if isinstance(options.get("data"), str):
        options["data"] = registry.split_data([options["data"]])
    for name in ("method_settings", "task_settings"):
        if isinstance(options.get(name), str):
            options[name] = _listed(options[name])
    crew = workforce(**{name: options.pop(name) for name in PARTS if name in options})
    if "output" in options:
        options["output"] = user_path(options["output"])
    if "seeds" in options:
        options["seeds"] = _seeds(options["seeds"])
    return crew.run(Request(methods=_listed(methods), tasks=_listed(tasks), **options))


def leaderboard(folder: str | Path | Sequence[str | Path] = "results", **filters: Any) -> list[dict[str, Any]]:
    """The rows of the tables that the stored cells under a folder make, with the keys of `leaderboard --format json`.

    Several folders are read as one. `filters` are those of membench.tables.tables: task, data, model, method, sort.
    """
    from membench.analysis.several_folders import cells_of
    from membench.io.user_files import user_path
    from membench.tables.leaderboard import rows

    folders = [folder] if isinstance(folder, str | Path) else folder
    return rows(cells_of(map(user_path, folders)), **filters)


def _seeds(given: int | str | Sequence[int]) -> tuple[int, ...]:
    from membench.errors import MembenchError

    try:
        return tuple(map(int, (given,) if isinstance(given, int) else _listed(given)))
    except ValueError as error:
        raise MembenchError(f"seeds must be whole numbers, got {given!r}") from error


def _listed(names: str | Sequence[Any]) -> tuple[Any, ...]:
    return tuple(part.strip() for part in names.split(",") if part.strip()) if isinstance(names, str) else tuple(names)
