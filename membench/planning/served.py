"""A model behind an endpoint as a run plans it: what identifies it, and what of a request it allows."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from membench.api import Method, Task
from membench.checkpoints.devices import chosen_device
from membench.endpoints.endpoint_address import OPENAI, without_secrets
from membench.endpoints.model_client import Api, public_url
from membench.endpoints.model_probe import probe
from membench.errors import MembenchError
from membench.planning.request import PREFIX, Request, is_served
from membench.plugins.described import needs_weights
from membench.served import pieces
from membench.values import Dataset, Drift

DEVICE = "endpoint"  # where such a model stands, as results have it
DTYPE = "served"  # in place of a dtype: as the server has it
TEXT_METHODS = "base, in-context, full-context, bm25, dpr, hybrid, contextual, raptor"
_WRITERS = (("writer", "openai"), ("summariser", "openai"))  # sources that a model behind an endpoint writes
FLAGS = ("concurrency", "max_tokens_total", "price_in", "price_out", "window")


@dataclass(frozen=True)
class Served:
    """A model at an endpoint: its name there, the base URL as it was typed, the API, what the server tells of it, and
    its window in tokens, None if nobody tells.
    """

    model: str
    base_url: str | None
    api: Api
    told: Mapping[str, Any]
    window: int | None

    @property
    def facts(self) -> dict[str, Any]:
        """What identifies it, without what is secret."""
        told = {"url": public_url(self.base_url), "api": self.api, "told": dict(self.told), "pieces": pieces.VERSION}
        return told if self.window is None else {**told, "window": self.window}

    @property
    def digest(self) -> str:
        """A hash of what identifies it, 64 hex digits."""
        text = json.dumps([self.model, self.facts], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def device_of(request: Request) -> str:
    """Where the model of a request stands."""
    return DEVICE if is_served(request.model) else chosen_device(request.device)


def resolve_served(request: Request, base_url: str | None) -> tuple[Served, str]:
    """The model at its endpoint, and the style of its prompts. Raises MembenchError for one that does not answer."""
    api: Api | None = None if request.style is None else "chat" if request.style == "chat" else "completions"
    name = request.model.removeprefix(PREFIX)
    found = probe(name, base_url, api)
    style = request.style or ("chat" if found.api == "chat" else "plain")
    return Served(name, base_url, found.api, found.told, request.window or found.window), style


def validate_served(request: Request, methods: Mapping[str, Method[Any]]) -> None:
    """Refuse flags that are for endpoints alone, and what no endpoint can be asked for. Raises MembenchError."""
    if not is_served(request.model):
        for name in FLAGS:
            if getattr(request, name) is not None:
                raise MembenchError(f"--{name.replace('_', '-')} is for a model at an endpoint: --model openai:NAME")
        return
    if request.model == PREFIX:
        raise MembenchError("--model openai: names no model: write openai:NAME, as the endpoint calls it")
    if request.offline:
        raise MembenchError(f"--offline, and {request.model} is behind an endpoint: leave one of them out")
    for name in ("concurrency", "max_tokens_total", "window"):
        if (value := getattr(request, name)) is not None and value < 1:
            raise MembenchError(f"--{name.replace('_', '-')} must be at least 1, got {value}")
    prices = request.price_in, request.price_out
    if None in prices and prices != (None, None):
        raise MembenchError("give --price-in and --price-out together: prices of a million tokens read and generated")
    for price in prices:
        if price is not None and not 0 <= price < 1e9:
            raise MembenchError(f"a price must be a number from 0 on, got {price}")
    for name, method in methods.items():
        if needs_weights(name, method):
            raise MembenchError(wants_weights(name, request.model))


def wants_weights(method: str, model: str) -> str:
    """Why a method is not played at an endpoint."""
    return (
        f"{method} needs the weights of its model, and {model} is behind an endpoint: play memories that bring text "
        f"({TEXT_METHODS}), or name a local model"
    )


def refuse_drift(task: str, protocol: Task, data: Dataset, model: str) -> None:
    """Raise MembenchError for a task that measures what a memory does to the model elsewhere."""
    if any(isinstance(step, Drift) for episode in protocol.episodes(data, 0) for step in episode.steps):
        raise MembenchError(
            f"task {task} with drift reads the model's own probabilities, and {model} is behind an endpoint: without, "
            "-T drift=0, it can be played"
        )


def asked_at(sources: dict[str, Any], base_url: str | None) -> dict[str, Any]:
    """The sources, with the endpoint of those that a model behind one writes, where it is not OpenAI's own.

    Of its URL what may be stored: a user, a password and keys are left out.
    """
    base_url = base_url or os.environ.get("OPENAI_BASE_URL")
    if not base_url or (place := without_secrets(base_url)) == OPENAI:
        return sources
    return {name: _placed(part, place) for name, part in sources.items()}


def _placed(part: Any, place: str) -> Any:
    """A source, or sources within it, with this endpoint where a model behind one writes."""
    if not isinstance(part, dict):
        return part
    found = {name: _placed(inner, place) for name, inner in part.items()}
    return {**found, "base_url": place} if any(part.get(what) == who for what, who in _WRITERS) else found
