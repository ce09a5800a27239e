"""With which settings the trained methods take part in the comparison."""

from __future__ import annotations

from typing import Any

from tune_rows import best

Settings = dict[str, Any]  # those that are not a method's defaults

TASKS: dict[str, Settings] = {"single": {}, "batch": {}, "sequential": {"questions": 4}}  # and their own settings
DEFAULTS = {"selfparam": (4e-3, 12), "ft-s": (4e-3, 12), "ft-c": (4e-3, 24), "cartridge": (1e-2, 12)}  # rate, passes
APART = ("cartridge",)  # trains each text of a batch by itself, so that it needs no more passes over many


def row_of(method: str, rate: float, passes: int) -> Settings:
    """A row of the grid as settings."""
    usual = dict(zip(("lr", "epochs"), DEFAULTS[method], strict=True))
    return {name: value for name, value in {"lr": rate, "epochs": passes}.items() if value != usual[name]}


def by_rule(method: str) -> Settings:
    """The row of the grid that its rule selects on the development seed (docs/tuning.md)."""
    found = best(method)
    return row_of(method, found["lr"], found["epochs"])


DECLARED: dict[str, Settings] = {"selfparam": {}, "ft-s": {"lr": 0.002, "epochs": 24}}  # before the grid was whole
RULED = {method: by_rule(method) for method in DEFAULTS}
BEST = RULED | DECLARED


def settings_of(task: str, method: str, own: Settings | None = None) -> Settings:
    """In a task, those of the comparison or these; over many texts at once twice the passes."""
    chosen = BEST.get(method, {}) if own is None else own
    if task != "batch" or method not in DEFAULTS or method in APART:
        return dict(chosen)
    return chosen | {"epochs": 2 * chosen.get("epochs", DEFAULTS[method][1])}


def told(settings: Settings) -> str:
    """As a row is named."""
    return " ".join(f"{k}={v:g}" for k, v in settings.items()) or "–"
