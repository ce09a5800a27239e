"""What a run was asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from membench.engines.choice import OWN


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
