"""From what the user typed to cells: names, settings, data and model are checked before anything costs time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from membench import encoders, registry, settings, store, summaries, weights
from membench.api import Context, Dataset, Drift, Method, Source, Task, Write, settings_of
from membench.drift_data import drift_digest
from membench.errors import MembenchError
from membench.generic import generic_texts
from membench.gold import NAME as GOLD
from membench.gold import Gold
from membench.prompt import STYLES
from membench.published_pools import refuse_published
from membench.score import METRIC_VERSION
from membench.scribe import Scribe

DTYPES = ("auto", "float32", "bfloat16", "float16")
YARDSTICKS = ("in-context", "base")  # the reference first: every other cell is compared with it


@dataclass(frozen=True)
class Request:
    """What `membench run` was asked for; `place` is where it stands in a file of options ("run.yaml:3"), if it does."""

    methods: tuple[str, ...]
    tasks: tuple[str, ...]
    data: tuple[str, ...] = ("worlds",)
    model: str = "smollm2-135m"
    seeds: tuple[int, ...] = (0,)
    limit: int | None = None
    method_settings: tuple[str, ...] = ()
    task_settings: tuple[str, ...] = ()
    output: Path = Path("results")
    overwrite: bool = False
    offline: bool = False
    device: str = "cpu"
    dtype: str = "auto"
    style: str | None = None
    yardsticks: bool = True
    trust_remote_code: bool = False
    base_url: str | None = None
    place: str = field(default="", compare=False)


@dataclass(frozen=True)
class ModelInfo:
    """What identifies the model of a run; the weights are loaded when the first cell needs them."""

    name: str
    path: Path | str
    weights_hash: str
    dtype: str
    style: str


@dataclass(frozen=True)
class Planned:
    """A cell to play, with everything that can change its result in its recipe."""

    method_name: str
    method: Method[Any]
    task: Task
    data: Dataset
    recipe: dict[str, Any]

    @property
    def recipe_id(self) -> str:
        """The cell's identity."""
        return store.cell_id(self.recipe)

    @property
    def title(self) -> str:
        """How progress names it."""
        r = self.recipe
        return f"{r['method']} · {r['task']} · {r['data']} · {r['model']} · seed {r['seed']}"

    @property
    def written(self) -> list[Context]:
        """What the cell's script writes, in its order."""
        episodes = self.task.episodes(self.data, self.recipe["seed"])
        return [c for e in episodes for step in e.steps if isinstance(step, Write) for c in step.contexts]

    @property
    def is_gold(self) -> bool:
        """Whether this is a yardstick's cell."""
        return isinstance(self.task, Gold)


def validate(request: Request) -> None:
    """Refuse what is wrong in names, settings and limits before a model is fetched or loaded. Raises MembenchError."""
    _chosen(request)
    for name in request.data:
        registry.load("data", name.partition(":")[0])
    for name, value, allowed in (("style", request.style, (None, *STYLES)), ("dtype", request.dtype, DTYPES)):
        if value not in allowed:
            known = ", ".join(choice for choice in allowed if choice)
            raise MembenchError(f"unknown {name} {value!r}: choose from {known}")
    if request.model in weights.ENCODERS:
        raise MembenchError(f"{request.model} is no language model: choose from {', '.join(weights.ALIASES)}")
    refuse_published("model", request.model)
    if request.limit is not None and request.limit < 1:
        raise MembenchError(f"limit must be at least 1, got {request.limit}")


def plan(request: Request, model: ModelInfo, prompt_hash: str) -> list[Planned]:
    """The cells in the order of play: yardsticks first.

    Raises MembenchError for anything that is wrong in the request.
    """
    methods, tasks = _chosen(request)
    cells: dict[str, Planned] = {}
    for typed in request.data:
        for task_name, task in tasks.items():
            data = load_data(typed, task, request.limit)
            task = task.over(data)
            names = [name for name in request.methods if name not in YARDSTICKS]
            gold = YARDSTICKS if request.yardsticks else tuple(n for n in request.methods if n in YARDSTICKS)
            script: tuple[str, Task] = (GOLD, Gold()) if task.gold_script else (task_name, task)
            for name in gold:
                method = registry.load("methods", name)()
                _add(cells, request, model, prompt_hash, name, method, *script, data, 0)
            for name in names:
                for seed in request.seeds:
                    _add(cells, request, model, prompt_hash, name, methods[name], task_name, task, data, seed)
    return sorted(cells.values(), key=lambda cell: not cell.is_gold)


def _chosen(request: Request) -> tuple[dict[str, Method[Any]], dict[str, Task]]:
    """The methods and tasks by their names, as their settings make them."""
    method_classes = {name: registry.load("methods", name) for name in request.methods}
    task_classes = {name: registry.load("tasks", name) for name in request.tasks}
    method_settings = settings.split(request.method_settings, method_classes, "method")
    task_settings = settings.split(request.task_settings, task_classes, "task")
    return (
        {name: settings.build(cls, method_settings[name]) for name, cls in method_classes.items()},
        {name: settings.build(cls, task_settings[name]) for name, cls in task_classes.items()},
    )


def load_data(typed: str, task: Task, limit: int | None) -> Dataset:
    """The data named NAME or NAME:ARGUMENT, as many contexts as the task wants."""
    name, _, argument = typed.partition(":")
    source: Source = registry.load("data", name)()
    wanted = limit or task.default_limit
    load = source.load_probed if task.probed else source.load
    data = load(argument, wanted, task.held_out)
    if not data.contexts:
        raise MembenchError(f"data {typed!r} has no contexts with questions")
    return data


def data_hash(contexts: Sequence[Context]) -> str:
    """A hash of every text, question and answer."""
    text = json.dumps([asdict(c) for c in contexts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def sources_of(method: Method[Any], offline: bool = False) -> dict[str, Any]:
    """What identifies what a method's settings point to: target writer, generic text, encoder, trained parts."""
    out: dict[str, Any] = {}
    chosen = settings_of(method)
    if "targets" in chosen:
        out["targets"] = Scribe({}, None).provenance(chosen["targets"])
    if chosen.get("generic"):
        out["generic_text"] = generic_texts(chosen["generic_text"]).digest
    if chosen.get("checkpoint"):
        from membench import memory as memories  # torch comes with it

        out["checkpoint"] = memories.digest(memories.load(Path(chosen["checkpoint"]).expanduser()))
    if "encoder" in chosen:
        out["encoder"] = encoders.identity(chosen["encoder"], offline)
    if "summaries" in chosen:
        out["summaries"] = summaries.provenance(chosen["summaries"])
    return out


def encoders_of(cells: Sequence[Planned]) -> list[str]:
    """The encoders that these cells' methods load."""
    chosen = (settings_of(cell.method).get("encoder") for cell in cells)
    return list(dict.fromkeys(name for setting in chosen if setting for name in encoders.names(setting)))


def _add(
    cells: dict[str, Planned], request: Request, model: ModelInfo, prompt_hash: str,
    name: str, method: Method[Any], task_name: str, task: Task, data: Dataset, seed: int,
) -> None:  # fmt: skip
    if task_name == GOLD:
        data = replace(data, held_out=())
    defaults = settings_of(type(method)())
    recipe = {
        "task": task_name,
        "task_settings": settings_of(task),
        "data": data.name,
        "data_hash": data_hash(data.contexts),
        "held_out_hash": data_hash(data.held_out) if data.held_out else None,
        "limit": len(data.contexts),
        "model": model.name,
        "weights_hash": model.weights_hash,
        "dtype": model.dtype,
        "style": model.style,
        "prompt_hash": prompt_hash,
        "metric_version": METRIC_VERSION,
        "method": name,
        "method_version": method.version,
        "settings": settings_of(method),
        "defaults": defaults,
        "sources": sources_of(method, request.offline) | _drift_sources(task, data, seed),
        "seed": seed,
        **task.provenance(),
    }
    if data.conflicts and task.probed:
        recipe["conflicts_hash"] = data_hash(data.conflicts)
    cells.setdefault(store.cell_id(recipe), Planned(name, method, task, data, recipe))


def _drift_sources(task: Task, data: Dataset, seed: int) -> dict[str, Any]:
    """What identifies the texts and test sets that a task's Drift steps read; nothing where it has none."""
    steps = dict.fromkeys(s for e in task.episodes(data, seed) for s in e.steps if isinstance(s, Drift))
    return {"drift": [drift_digest(step) for step in steps]} if steps else {}


def resolve_model(request: Request, style: str) -> ModelInfo:
    """Where the weights are and what identifies them; fetches an alias that is not in the cache yet."""
    path = weights.resolve(request.model, request.offline)
    local = Path(path) if Path(path).is_dir() else None
    digest = weights.weights_hash(local) if local else str(path)
    dtype = request.dtype if request.dtype != "auto" else "float32" if request.device == "cpu" else "bfloat16"
    name = Path(request.model).name if local and Path(request.model).is_dir() else request.model
    return ModelInfo(name, path, digest, dtype, style)


def check_window(cells: Sequence[Planned], llm: Any) -> None:
    """Refuse contexts that do not fit the model's window with their prompt, before anything is played."""
    seen: set[str] = set()
    for cell in cells:
        for context in (*cell.data.contexts, *cell.data.held_out):
            if context.text in seen or not context.questions:
                continue
            seen.add(context.text)
            longest = max((q.text for q in context.questions), key=len)
            tokens = sum(map(len, llm.segment_ids([context.text], longest))) + llm.max_new_tokens
            if tokens > llm.window:
                twice = ", where it stands twice (--style plain has it once)," if llm.renderer.times == 2 else ""
                raise MembenchError(
                    f"context {context.id!r} of {cell.data.name} takes {tokens} tokens with its prompt{twice} and the "
                    f"window of {llm.name} is {llm.window}: split it, or take a model with a longer window"
                )
