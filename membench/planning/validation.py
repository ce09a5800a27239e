"""What of a request is refused before a model is fetched or loaded."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from membench.api import Method, Task
from membench.checkpoints.checks import refuse_language_model
from membench.checkpoints.dtypes import AUTO, DTYPES, chosen_dtype
from membench.checkpoints.refused import refuse_published
from membench.endpoints.endpoint_address import without_secrets
from membench.engines.choice import OWN, engine_version, validate_engine
from membench.errors import MembenchError, shortened
from membench.io import weights
from membench.io.user_files import user_path
from membench.planning.request import Request, is_served, refuse_unknown_names
from membench.planning.served import DTYPE, Served, resolve_served, validate_served
from membench.plugins import registry, settings
from membench.prompts.prompt import STYLES

SEEDS = 2**63  # they are stored as 64 bits with a sign


@dataclass(frozen=True)
class ModelInfo:
    """What identifies the model of a run; the weights are loaded when the first cell needs them."""

    name: str
    path: Path | str
    weights_hash: str
    dtype: str
    style: str
    files_hash: str = ""  # of what stands beside the weights; of a model that is not here, nobody knows
    engine: str = ""  # what decodes in its place, with its version
    reader: str = ""  # SLOW where it is read so (membench.reading.slow_tree)
    served: Served | None = None  # where it is behind an endpoint


def validate(request: Request) -> None:
    """Refuse what is wrong in names, settings and limits before a model is fetched or loaded. Raises MembenchError."""
    for kind, names in (("method", request.methods), ("task", request.tasks), ("data source", request.data)):
        if not names:
            raise MembenchError(f"no {kind} is named: `membench ls` lists methods, tasks and data")
    refuse_unknown_names(request)
    validate_served(request, chosen(request)[0])
    validate_engine(request.engine, request.model, request.device)
    for name in request.data:
        registry.load("data", name.partition(":")[0])
    for name, value, allowed in (("style", request.style, (None, *STYLES)), ("dtype", request.dtype, (AUTO, *DTYPES))):
        if value not in allowed:
            known = ", ".join(choice for choice in allowed if choice)
            raise MembenchError(f"unknown {name} {value!r}: choose from {known}")
    if request.model in weights.ENCODERS:
        raise MembenchError(f"{request.model} is no language model: choose from {', '.join(weights.ALIASES)}")
    refuse_published("model", request.model)
    if request.limit is not None and request.limit < 1:
        raise MembenchError(f"limit must be at least 1, got {request.limit}")
    for seed in request.seeds:
        if not 0 <= seed < SEEDS:
            raise MembenchError(f"seeds are whole numbers from 0 to {SEEDS - 1}, got {shortened(str(seed))}")
    if request.base_url is not None:
        without_secrets(request.base_url)


def chosen(request: Request) -> tuple[dict[str, Method[Any]], dict[str, Task]]:
    """The methods and tasks by their names, as their settings make them."""
    method_classes = {name: registry.load("methods", name) for name in request.methods}
    task_classes = {name: registry.load("tasks", name) for name in request.tasks}
    method_settings = settings.split(request.method_settings, method_classes, "method")
    task_settings = settings.split(request.task_settings, task_classes, "task")
    return (
        {name: settings.build(cls, method_settings[name]) for name, cls in method_classes.items()},
        {name: settings.build(cls, task_settings[name]) for name, cls in task_classes.items()},
    )


def resolve_model(request: Request) -> ModelInfo:
    """Where the weights are and what identifies them; fetches an alias that is not in the cache yet.

    A model at an endpoint is asked a short prompt. Raises MembenchError for a folder that is no whole causal language
    model, and for an endpoint that does not answer.
    """
    if is_served(request.model):
        served, style = resolve_served(request, request.base_url or os.environ.get("OPENAI_BASE_URL"))
        return ModelInfo(request.model, "", served.digest, DTYPE, style, served=served)
    path = weights.resolve(request.model, request.offline)
    refuse_language_model(path, request.model)
    digest = weights.weights_hash(path)
    dtype = chosen_dtype(request.dtype, request.device)
    name = Path(os.path.abspath(folder)).name if (folder := user_path(request.model)).is_dir() else request.model
    style = request.style or weights.style(request.model)
    engine = "" if request.engine == OWN else engine_version()
    return ModelInfo(name, path, digest, dtype, style, weights.files_hash(path), engine)
