"""One answer for a need: from the table that tells most of it, or why there is none and what to play."""

from __future__ import annotations

import math
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from membench.advice.advise import Advice, Need, advise
from membench.advice.choice import Candidate
from membench.plugins import registry
from membench.store.cell_folder import Cell
from membench.tables.catalogue import spec_of
from membench.tables.leaderboard import tables
from membench.tables.merge_seeds import APART

REACH = 10  # times as many texts as were measured; scores beyond are nobody's
_SHOWN = 3  # methods that a command to play names
_NEEDS = {"damage not measured": "damage", "p95 seconds not measured": "p95", "deletion not measured": "deletion"}
_MORE = ("composition", "conversation", "deletion")  # tasks of needs that one has to name (-t)
_TASKS = {"damage": "contamination", "p95": "latency", "deletion": "deletion"}


@dataclass(frozen=True)
class Missing:
    """A need that nothing stored tells of, and the command that would measure it; "" if no task here does."""

    need: str
    command: str


@dataclass(frozen=True)
class Answer:
    """`choice` is a method, or None and `because` says why; `rests_on` names the table."""

    choice: str | None
    because: str
    rests_on: str
    metric: str
    chosen: Candidate | None
    candidates: tuple[Candidate, ...]
    missing: tuple[Missing, ...]
    others: Mapping[str, int]  # what other tables choose, and how many of them
    notes: tuple[str, ...]


def answer(cells: Sequence[Cell], need: Need, **filters: Any) -> Answer:
    """The answer. Raises MembenchError where nothing that matches has a method to advise on."""
    found = advise(cells, need, **filters)
    recipes = {table.title: table.recipe for table in tables(cells, **filters)}
    usual = [advice for advice in found if recipes[advice.title]["task"] not in _MORE] or found
    fitting = [advice for advice in usual if _reaches(advice, need)]
    best = max(fitting or usual, key=_weight)
    recipe = _with_endpoint(recipes[best.title], cells)
    if not fitting:
        return _too_many(best, need, recipe)
    missing = tuple(_missing(name, best, recipe) for name in _untold(best))
    counted = Counter(a.choice for a in fitting if a is not best and a.choice)
    chosen = next((c for c in best.candidates if c.label == best.choice), None)
    because = best.because
    if missing:
        because = f"nothing stored tells of {', '.join(gap.need for gap in missing)}"
    return Answer(
        best.choice, because, best.title, best.metric, chosen, best.candidates, missing, dict(counted), best.notes
    )


def _with_endpoint(recipe: Mapping[str, Any], cells: Sequence[Cell]) -> dict[str, Any]:
    """A table's recipe, and where its model is asked if it is behind an endpoint, as one of its cells has it."""
    same = (cell.recipe for cell in cells if cell.recipe["weights_hash"] == recipe["weights_hash"])
    return {**recipe, **next(({"endpoint": r["endpoint"]} for r in same if "endpoint" in r), {})}


def _reaches(advice: Advice, need: Need) -> bool:
    """Whether its memories held enough at once; one text at a time tells of one text alone."""
    return need.contexts <= (REACH * advice.held if advice.held > 1 else 1)


def _weight(advice: Advice) -> tuple[bool, bool, int, bool, int]:
    """Questions about texts before tasks with a score of their own, several texts in a memory before one, then the most
    methods; of those alike the one that wrote all texts at once, as a need does, and the largest memories.
    """
    methods = len({c.method for c in advice.candidates})
    together = advice.metric.endswith("/all")
    own = (spec := spec_of(advice.metric)) is not None and spec.leads
    return not own, advice.held > 1, methods, together, advice.held


def _too_many(best: Advice, need: Need, recipe: Mapping[str, Any]) -> Answer:
    if best.held > 1:
        because = (
            f"{need.contexts:,} texts are more than {REACH} times the {best.held} that a memory held in "
            f"{recipe['task']}, and scores may fall with size"
        )
    else:
        because = f"what is stored of {recipe['task']} wrote one text at a time, which tells nothing of many"
    limit = max(2, math.ceil(need.contexts / REACH))  # one text in a memory tells nothing of many
    command = _command(best, recipe, "batch", limit)
    gaps = tuple(_missing(name, best, recipe, limit) for name in _untold(best))
    return Answer(
        None, because, best.title, best.metric, None, best.candidates, (Missing("size", command), *gaps), {}, best.notes
    )


def _typed(candidate: Candidate) -> str:
    """Its settings as options of `membench run`."""
    own = {key: value for key, value in candidate.settings.items() if key not in APART}
    return "".join(f" -M {shlex.quote(f'{candidate.method}.{key}={_text(value)}')}" for key, value in own.items())


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ",".join(map(_text, value))
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)


def _untold(advice: Advice) -> list[str]:
    """The needs that no candidate was measured for."""
    return [name for miss, name in _NEEDS.items() if all(miss in c.misses for c in advice.candidates)]


def _missing(name: str, advice: Advice, recipe: Mapping[str, Any], limit: int | None = None) -> Missing:
    """A wait grows with the memory, so it is measured at the size that is measured."""
    task = _TASKS[name]
    limit = limit if name == "p95" else None
    return Missing(name, _command(advice, recipe, task, limit) if task in registry.names("tasks") else "")


def _command(advice: Advice, recipe: Mapping[str, Any], task: str, limit: int | None = None) -> str:
    """What to type, with the best methods of the table."""
    best: dict[str, Candidate] = {}
    for candidate in sorted(advice.candidates, key=lambda c: -c.score):
        best.setdefault(candidate.method, candidate)
    shown = list(best.values())[:_SHOWN]
    size = "" if limit is None else f" --limit {limit}"
    data, model = shlex.quote(recipe["data"]), shlex.quote(recipe["model"])
    there = f" --base-url {shlex.quote(url)}" if (url := recipe.get("endpoint", {}).get("url")) else ""
    run = f"-t {task} --data {data} --model {model}{there}{size}"
    # What is set goes alone, as a method's settings also go to memories that it is a part of.
    plain = [c.method for c in shown if not _typed(c)]
    groups = [",".join(plain)] * bool(plain) + [f"{c.method}{_typed(c)}" for c in shown if _typed(c)]
    return " && ".join(f"membench run -m {group} {run}" for group in groups)
