"""What a server tells of itself and of a model, before anything is played: its API, the model's entry, its window."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from membench.endpoints.endpoint_address import address
from membench.endpoints.endpoint_call import decoded, opened
from membench.endpoints.http_call import Call, Limits, NoAnswer
from membench.endpoints.model_client import Api, EndpointAway, ModelClient
from membench.errors import MembenchError
from membench.text.halves import marked_halves

PROMPT = "Q: In what year was 1931?\nA:"
TOKENS = 16  # as many as an answer may have: some models refuse fewer

_FACTS = ("id", "root", "parent", "owned_by", "max_model_len")  # of a model's entry; `created` is the time of asking
_META = ("n_params", "n_vocab", "n_embd", "n_ctx_train", "size")  # of llama.cpp's


@dataclass(frozen=True)
class Probed:
    """The API that serves a model, what the server tells of it, and its window in tokens, None if it does not say."""

    api: Api
    told: Mapping[str, Any]
    window: int | None


def probe(model: str, base_url: str | None, api: Api | None) -> Probed:
    """Ask one short prompt, by this API, or by `completions` and where that is not served by `chat`.

    Raises MembenchError for an endpoint that cannot be reached or does not serve the model.
    """
    entry = _entry(model, base_url)
    found, named = _answering(model, base_url, api)
    told: dict[str, Any] = {name: entry[name] for name in _FACTS if isinstance(entry.get(name), str | int)}
    told = {name: marked_halves(fact) if isinstance(fact, str) else fact for name, fact in told.items()}
    meta = entry["meta"] if isinstance(entry.get("meta"), dict) else {}
    told |= {name: meta[name] for name in _META if isinstance(meta.get(name), int)}
    window = entry.get("max_model_len") or meta.get("n_ctx") or None
    return Probed(found, {**told, "answers_as": named}, window if isinstance(window, int) else None)


def _answering(model: str, base_url: str | None, api: Api | None) -> tuple[Api, str]:
    if api is None:
        with contextlib.suppress(_NotServed):
            return "completions", _asked(ModelClient(model, base_url, "completions", Limits()))
        api = "chat"
    return api, _asked(ModelClient(model, base_url, api, Limits()))


class _NotServed(MembenchError):
    """No answer came by this API, though somebody is there."""


def _asked(client: ModelClient) -> str:
    """What the endpoint calls the model that answered."""
    try:
        return client.goes_on(PROMPT, TOKENS, "\n").model
    except EndpointAway:
        raise
    except MembenchError as error:
        raise _NotServed(str(error)) from error


def _entry(model: str, base_url: str | None) -> Mapping[str, Any]:
    """The model's entry in the server's list; empty where there is no such list or it does not stand there."""
    where = address(base_url, "models")
    try:
        with Call(Limits()) as call:
            answer = call.get(where.url, where.headers)
    except NoAnswer as error:
        raise MembenchError(where.hide(f"openai:{model} at {where.public} {error}")) from error
    body = opened(where.hide(decoded(answer.body)[0]))
    listed = body.get("data") if isinstance(body, dict) else None
    entries = listed if isinstance(listed, list) else []
    return next((one for one in entries if isinstance(one, dict) and one.get("id") == model), {})
