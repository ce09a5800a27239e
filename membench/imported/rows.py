"""Which imported results are seeds of one row, and what that row is called."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Set
from typing import Any

_FILE = "sha256"


def imported_origin(recipe: Mapping[str, Any], among: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Whose results these are: the same for all seeds of a row. Among these recipes two results of one seed are no
    seeds of one row, so that there the files tell them apart.
    """
    return _origin(recipe, _doubled(r for r in among if r["method"] == recipe["method"]))


def imported_name(recipe: Mapping[str, Any], among: Iterable[Mapping[str, Any]]) -> str:
    """The method with its settings that are no defaults, and with what tells it apart from others of its name."""
    rivals = [r for r in among if r["method"] == recipe["method"]]
    doubled = _doubled(rivals)
    mine, others = _known(recipe, doubled), [_known(r, doubled) for r in rivals]
    plain = {**_whose(recipe), **_beside(recipe, recipe.get("defaults", {}))}
    told = [
        f"{name}={value}"
        for name, value in mine.items()
        if plain.get(name) != value or any(other.get(name) != value for other in others)
    ]
    return " ".join([recipe["method"], *told])


def _known(recipe: Mapping[str, Any], doubled: Set[str]) -> dict[str, Any]:
    return {**_origin(recipe, doubled), **_beside(recipe, recipe["settings"])}


def _beside(recipe: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by their names; "arg." before one that is called as what tells whose results these are."""
    taken = {*_whose(recipe), _FILE}
    return {f"arg.{name}" if name in taken else name: value for name, value in settings.items()}


def _origin(recipe: Mapping[str, Any], doubled: Set[str]) -> dict[str, Any]:
    mine, twice = _whose(recipe), _row(recipe) in doubled
    return mine | ({_FILE: str(recipe["sources"].get(_FILE))[:8]} if twice and recipe.get("sources") else {})


def _doubled(recipes: Iterable[Mapping[str, Any]]) -> Set[str]:
    """The rows that have two results of one seed."""
    counted = Counter((_row(r), r["seed"]) for r in recipes)
    return {row for (row, _), count in counted.items() if count > 1}


def _row(recipe: Mapping[str, Any]) -> str:
    return json.dumps([recipe["method"], recipe["settings"], _whose(recipe)], sort_keys=True)


def _whose(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in (recipe.get("sources") or {}).items() if name not in ("version", _FILE)}
