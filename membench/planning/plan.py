"""From what the user typed to cells: names, settings, data and model are checked before anything costs time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

from membench.api import Method, Source, Task
from membench.checkpoints.foreign_code import refuse_foreign_code
from membench.corpora.test_suites import drift_digest
from membench.errors import MembenchError
from membench.io import weights
from membench.metrics.answer_scores import METRIC_VERSION
from membench.planning.data_checks import checked, refuse_without_targets, writers_of
from membench.planning.gold_script import Gold
from membench.planning.request import Request
from membench.planning.served import asked_at, refuse_drift
from membench.planning.validation import ModelInfo, chosen
from membench.plugins import registry
from membench.plugins.calls import calling
from membench.plugins.described import facts_of, facts_of_task, fetched_by, needs_weights, refuse_odd_task
from membench.plugins.given_back import sound_data, sound_episodes, sound_task
from membench.store import schema
from membench.store.recipe import GOLD, YARDSTICKS, cell_id
from membench.values import Context, Dataset, Drift, Episode, Write


@dataclass(frozen=True)
class PlannedCell:
    """A cell to play, with everything that can change its result in its recipe."""

    method_name: str
    method: Method[Any]
    task: Task
    data: Dataset
    recipe: dict[str, Any]

    @cached_property
    def recipe_id(self) -> str:
        """The cell's identity."""
        return cell_id(self.recipe)

    @property
    def title(self) -> str:
        """How progress names it."""
        r = self.recipe
        return f"{r['method']} · {r['task']} · {r['data']} · {r['model']} · seed {r['seed']}"

    def episodes(self) -> list[Episode]:
        """Its script. Raises MembenchError where the task's code fails, or gives no episodes or not always the same."""
        return script(self.recipe["task"], self.task, self.data, self.recipe["seed"])

    @property
    def written(self) -> list[Context]:
        """What the cell's script writes, in its order."""
        return [c for e in self.episodes() for step in e.steps if isinstance(step, Write) for c in step.contexts]

    @property
    def is_gold(self) -> bool:
        """Whether this is a yardstick's cell."""
        return isinstance(self.task, Gold)

    def is_yardstick_of(self, cell: PlannedCell) -> bool:
        """Whether this is floor or reference of another cell: played on its data and model, and counted by its task."""
        if not self.is_gold or not cell.task.gold_script or self.recipe_id == cell.recipe_id:
            return False
        return self.data.name == cell.data.name and self.data.contexts == cell.data.contexts


def plan(request: Request, model: ModelInfo, prompt_hash: str) -> list[PlannedCell]:
    """The cells in the order of play: yardsticks first.

    Raises MembenchError for anything that is wrong in the request.
    """
    methods, tasks = chosen(request)
    cells = _Cells(request, model, prompt_hash)
    for typed in request.data:
        for task_name, task in tasks.items():
            refuse_odd_task(task_name, task)
            data = load_data(typed, task, request.limit)
            with calling(f"task {task_name}", "over()"):
                task = sound_task(task.over(data), task_name)
            if model.served:
                refuse_drift(task_name, task, data, model.name)
            names = [name for name in request.methods if name not in YARDSTICKS]
            gold = YARDSTICKS if request.yardsticks else tuple(n for n in request.methods if n in YARDSTICKS)
            script: tuple[str, Task] = (GOLD, Gold()) if task.gold_script else (task_name, task)
            for name in gold:
                method = registry.load("methods", name)()
                cells.add(name, method, *script, data, 0)
            for name in names:
                for seed in request.seeds:
                    cells.add(name, methods[name], task_name, task, data, seed)
    return sorted(cells.known.values(), key=lambda cell: not cell.is_gold)


def load_data(typed: str, task: Task, limit: int | None) -> Dataset:
    """The data named NAME or NAME:ARGUMENT, as many contexts as the task wants."""
    name, _, argument = typed.partition(":")
    source: Source = registry.load("data", name)()
    wanted = limit or task.default_limit
    loads = {"contexts": source.load, "chains": source.load_chains, "conversations": source.load_conversations}
    load = source.load_probed if task.probed else loads[task.loads]
    with calling(f"data {name}", "load()"):
        data = sound_data(load(argument, wanted, task.held_out), name)
    if not data.contexts:
        raise MembenchError(f"data {typed!r} has no contexts with questions")
    return checked(data)


def script(name: str, task: Task, data: Dataset, seed: int) -> list[Episode]:
    """The episodes of a task of this name. Raises MembenchError as `PlannedCell.episodes` does."""
    with calling(f"task {name}", "episodes()"):
        return sound_episodes(lambda: task.episodes(data, seed), name)


def data_hash(contexts: Sequence[Context]) -> str:
    """A hash of every text, question and answer."""
    text = json.dumps([asdict(c) for c in contexts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass
class _Cells:
    """The cells of a request so far, by id."""

    request: Request
    model: ModelInfo
    prompt_hash: str
    known: dict[str, PlannedCell] = field(default_factory=dict)
    _hashes: dict[int, tuple[Sequence[Context], str]] = field(default_factory=dict)  # by the contexts' own id
    _with_targets: set[tuple[str, str, int]] = field(default_factory=set)

    def add(self, name: str, method: Method[Any], task_name: str, task: Task, data: Dataset, seed: int) -> None:
        """Plan one more; the same cell again is that cell."""
        request, model = self.request, self.model
        if task_name == GOLD:
            data = replace(data, held_out=())
        _refuse_fetched(request, name, method)
        told = facts_of_task(task_name, task)
        recipe = {
            "task": task_name,
            "task_settings": told.pop("task_settings"),
            **_asked(data, self._hash),
            "model": model.name,
            "weights_hash": model.weights_hash,
            "model_files_hash": model.files_hash,
            "dtype": model.dtype,
            "style": model.style,
            "prompt_hash": self.prompt_hash,
            "metric_version": METRIC_VERSION,
            **_played(request, name, method),
            "seed": seed,
        }
        recipe["sources"] |= _drift_sources(task_name, task, data, seed)
        recipe |= _provenance(task_name, told, recipe)
        if model.reader:
            recipe["reader"] = model.reader
        if model.engine:
            recipe["engine"] = model.engine
        if model.served:
            recipe["endpoint"] = model.served.facts
        elif needs_weights(name, method):
            recipe |= _modules(request, model)
        if data.conflicts and task.probed:
            recipe["conflicts_hash"] = self._hash(data.conflicts)
        try:
            schema.recipe(recipe)
        except schema.Unfit as misfit:
            raise MembenchError(f"task {task_name} with method {name}: no recipe can hold {misfit}") from None
        cell = self.known.setdefault(cell_id(recipe), PlannedCell(name, method, task, data, recipe))
        if (asked := (name, task_name, id(data.contexts))) not in self._with_targets:  # once for all seeds
            self._with_targets.add(asked)
            if writers_of(method):
                refuse_without_targets(name, method, data, cell.written)

    def _hash(self, contexts: Sequence[Context]) -> str:
        """Made once for all seeds of a method."""
        if id(contexts) not in self._hashes:
            self._hashes[id(contexts)] = contexts, data_hash(contexts)
        return self._hashes[id(contexts)][1]


def _provenance(name: str, told: dict[str, Any], recipe: dict[str, Any]) -> dict[str, Any]:
    """What a task tells of itself. Raises MembenchError where that would stand in place of what a recipe holds."""
    if taken := [key for key in told if key in recipe and key not in ("data_hash", "held_out_hash")]:
        raise MembenchError(
            f"task {name}: its provenance() has {taken[0]!r}, which is the recipe's own: call it otherwise"
        )
    return told


def _asked(data: Dataset, hashed: Callable[[Sequence[Context]], str]) -> dict[str, Any]:
    """What of a recipe says what is asked about."""
    return {
        "data": data.name,
        "data_hash": hashed(data.contexts),
        "held_out_hash": hashed(data.held_out) if data.held_out else None,
        "limit": len(data.contexts),
    }


def _played(request: Request, name: str, method: Method[Any]) -> dict[str, Any]:
    """What of a recipe says which method plays."""
    found = facts_of(name, method, request.offline)
    return {"method": name, **found, "sources": asked_at(found["sources"], request.base_url)}


def _refuse_fetched(request: Request, name: str, method: Method[Any]) -> None:
    """Refuse the weights that a method fetches where they bring code of their own. Raises MembenchError."""
    for fetched in fetched_by(name, method) if not request.trust_remote_code else ():
        if fetched not in weights.packaged():  # whose files are known, and need not be here yet
            refuse_foreign_code(weights.resolve(fetched, request.offline), fetched)


def _modules(request: Request, model: ModelInfo) -> dict[str, Any]:
    """On which modules of the model a trained method puts its adapter, where they are not Llama's."""
    from membench.trained.projections import LLAMA, planned_roles  # torch, which other methods plan without

    if str(model.path) in ("", "."):  # planned without a model
        return {}
    found = planned_roles(str(model.path), request.offline, request.trust_remote_code)
    return {} if found == LLAMA else {"modules": list(found)}


def _drift_sources(name: str, task: Task, data: Dataset, seed: int) -> dict[str, Any]:
    """What identifies the texts and test sets that a task's Drift steps read; nothing where it has none."""
    steps = dict.fromkeys(s for e in script(name, task, data, seed) for s in e.steps if isinstance(s, Drift))
    return {"drift": [drift_digest(step) for step in steps]} if steps else {}
