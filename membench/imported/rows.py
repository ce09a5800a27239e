"""Which imported results are seeds of one row, and what that row is called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_FILE = "sha256"
_ROW = ("method", "settings")


def imported_origin(recipe: Mapping[str, Any], among: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Whose results these are: the same for all seeds of a row. Among these recipes two results of one seed are no
    seeds of one row, so that there the files tell them apart.
    """
    mine = _whose(recipe)
    alike = [r for r in among if all(r[name] == recipe[name] for name in _ROW) and _whose(r) == mine]
    twice = len({r["seed"] for r in alike}) < len(alike)
    return mine | ({_FILE: str(recipe["sources"].get(_FILE))[:8]} if twice and recipe.get("sources") else {})


def imported_name(recipe: Mapping[str, Any], among: Iterable[Mapping[str, Any]]) -> str:
    """The method with its settings that are no defaults, and with what tells it apart from others of its name."""
    rivals = [r for r in among if r["method"] == recipe["method"]]
    mine, others = _known(recipe, rivals), [_known(r, rivals) for r in rivals]
    defaults = recipe.get("defaults", {})
    plain = {**_whose(recipe), **defaults}
    told = [
        f"{name}={value}"
        for name, value in mine.items()
        if plain.get(name) != value or any(other.get(name) != value for other in others)
    ]
    return " ".join([recipe["method"], *told])


def _known(recipe: Mapping[str, Any], among: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {**imported_origin(recipe, among), **recipe["settings"]}


def _whose(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in (recipe.get("sources") or {}).items() if name not in ("version", _FILE)}
