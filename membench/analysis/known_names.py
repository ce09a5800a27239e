"""Names that a command is given to choose among what is stored: known ones, before anything is read."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from membench.errors import unknown
from membench.io import weights
from membench.io.atomic_files import half_written
from membench.plugins import registry
from membench.store import stored_cells
from membench.store.recipe import FOLDER_NAMES, plain_name

_KINDS = {"task": "tasks", "method": "methods"}


def stored_names(folders: Iterable[Path], what: str) -> list[str]:
    """The names of a kind ("task", "method" or "model") that cells in these folders have, as their own folders spell
    them; of a folder that cannot be read none.
    """
    place = FOLDER_NAMES.index(what)
    parts: list[list[str]] = []
    for folder in folders:
        with contextlib.suppress(OSError):  # whoever reads the cells says what is wrong with it
            parts += [name.split("--") for name in os.listdir(folder) if not half_written(name)]
    return sorted({part[place] for part in parts if len(part) == len(FOLDER_NAMES) + 1})


def refuse_unknown(
    folders: Sequence[Path], *, task: str | Sequence[str] = (), data: str | Sequence[str] = (),
    model: str | Sequence[str] = (), method: str | Sequence[str] = (),
) -> None:  # fmt: skip
    """Raise MembenchError for a name that neither a plug-in, a packaged model nor a stored cell of these folders has.

    Of data the part in front of the colon is judged; the cells are read only for a name that no plug-in has.
    """
    for what, given in (("task", task), ("method", method)):
        names = set(registry.names(_KINDS[what]))
        tidy = {name for name in _listed(given) if " " not in name}  # as cells name methods side by side
        composed = {name for name in tidy if names.issuperset(registry.parts_of(_KINDS[what], name))}
        _require(what, given, names | composed, stored_names(folders, what))
    _require("model", model, weights.ALIASES, stored_names(folders, "model"))
    sources, known = {name.partition(":")[0] for name in _listed(data)}, registry.names("data")
    if sources.difference(known):
        known += [str(cell.recipe["data"]).partition(":")[0] for cell in _cells(folders)]
    _require("data source", sorted(sources), known, ())


def refuse_unknown_rows(folders: Sequence[Path], rows: Sequence[str]) -> None:
    """Raise MembenchError for what is neither a method nor a label that tables may print; `rows` are either.

    A label opens with its method's name, or with one that the method gives itself, which its cells hold.
    """
    known, stored = registry.names("methods"), stored_names(folders, "method")
    odd = [row for row in rows if (name := row.partition(" ")[0]) not in known and plain_name(name) not in stored]
    if odd:
        own = {str(cell.result["label"]) for cell in _cells(folders) if cell.result.get("label")}
        for row in odd:
            if not any(row.startswith(label) for label in own):
                raise unknown("method", row, {*known, *own, *(cell.recipe["method"] for cell in _cells(folders))})


def _require(kind: str, given: str | Sequence[str], known: Iterable[str], stored: Sequence[str]) -> None:
    for name in _listed(given):
        if name not in known and plain_name(name) not in stored:
            raise unknown(kind, name, {*known, *stored})


def _cells(folders: Iterable[Path]) -> Iterator[stored_cells.Cell]:
    return itertools.chain.from_iterable(map(stored_cells.cells, folders))


def _listed(names: str | Sequence[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)
