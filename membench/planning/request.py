"""What a run was asked for, and whether anything answers to the names in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from membench.engines.choice import OWN
from membench.io import weights
from membench.plugins import registry

PREFIX = "openai:"  # of a model behind an endpoint


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
    device: str = "auto"
    dtype: str = "auto"
    engine: str = OWN
    style: str | None = None
    yardsticks: bool = True
    trust_remote_code: bool = False
    base_url: str | None = None
    concurrency: int | None = None  # this and what follows is for a model at an endpoint
    max_tokens_total: int | None = None
    price_in: float | None = None
    price_out: float | None = None
    window: int | None = None
    place: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "methods", tuple(dict.fromkeys(map(registry.tidy, self.methods))))


def is_served(model: str) -> bool:
    """Whether a model that a user named is behind an endpoint."""
    return model.startswith(PREFIX)


def refuse_unknown_names(request: Request) -> None:
    """Refuse names of methods, tasks, data and a model that nothing answers to; nothing is imported for it."""
    registry.require("methods", request.methods)
    registry.require("tasks", request.tasks)
    registry.require("data", (name.partition(":")[0] for name in request.data))
    if not is_served(request.model):
        weights.refuse_unknown(request.model)
