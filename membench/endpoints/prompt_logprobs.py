"""Log-probabilities of what could follow a prompt, where an endpoint gives those of the tokens of a prompt.

`completions` sends them with `echo` and `logprobs`; of chats vLLM alone does, by `prompt_logprobs` and a last message
of the assistant that is gone on with.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from annotated_types import Ge, Len

from membench.endpoints.endpoint_call import count
from membench.endpoints.model_client import EndpointAway, ModelClient
from membench.errors import MembenchError


class NoLikelihoods(MembenchError):
    """The endpoint gives no log-probabilities of a prompt's tokens; the message says how that was seen."""


@dataclass(frozen=True)
class Scored:
    """Nats of each token of a candidate, and how many tokens the endpoint read for them."""

    logprobs: Annotated[tuple[float, ...], Len(1)]
    read: Annotated[int, Ge(0)]


def payload(client: ModelClient, prompt: str, candidate: str) -> dict[str, Any]:
    """The request for the log-probabilities of a prompt that a candidate ends."""
    form = {"model": client.model, "temperature": 0, "max_tokens": 1}
    if client.api == "completions":
        return {**form, "prompt": prompt + candidate, "echo": True, "logprobs": 1}
    messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": candidate}]
    going_on = {"continue_final_message": True, "add_generation_prompt": False}
    kwargs = {"chat_template_kwargs": {"enable_thinking": False}}
    return {**form, "messages": messages, "prompt_logprobs": 1, **going_on, **kwargs}


def scored(client: ModelClient, prompt: str, candidate: str, read: int) -> Scored:
    """The log-probabilities of a candidate behind a prompt of `read` tokens.

    Raises NoLikelihoods where the endpoint does not give them, EndpointAway where nobody answers.
    """
    try:
        body, _ = client.send(payload(client, prompt, candidate))
    except EndpointAway:
        raise
    except MembenchError as error:
        raise NoLikelihoods(f"asked for them, {error}") from error
    if not read or not isinstance(body, dict):
        raise NoLikelihoods("the endpoint does not count the tokens of a prompt")
    whole = count(body.get("usage"), "prompt_tokens")
    tokens = _of_chat(body) if client.api == "chat" else _of_completion(body)
    if tokens is None:
        raise NoLikelihoods("the endpoint sends no log-probabilities of a prompt's tokens")
    own = tokens[read:whole]
    if not own or len(tokens) < whole or not _same("".join(text for text, _ in own), candidate):
        raise NoLikelihoods("the endpoint's tokens do not end where the prompt does")
    return Scored(tuple(logprob for _, logprob in own), whole)


def _of_completion(body: dict[str, Any]) -> list[tuple[str, float]] | None:
    """(text, nats) of each token, that of the first, which nothing predicts, 0."""
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    found = first.get("logprobs")
    texts, values = (found.get("tokens"), found.get("token_logprobs")) if isinstance(found, dict) else (None, None)
    if not isinstance(texts, list) or not isinstance(values, list):
        return None
    return _checked(texts, values)


def _of_chat(body: dict[str, Any]) -> list[tuple[str, float]] | None:
    """The same of vLLM's `prompt_logprobs`: for each token what it was and what was likeliest, by their numbers."""
    found = body.get("prompt_logprobs")
    if not isinstance(found, list):
        return None
    texts: list[Any] = []
    values: list[Any] = []
    for place in found:
        known = [one for one in place.values() if isinstance(one, dict)] if isinstance(place, dict) else []
        own = max(known, key=lambda one: count(one, "rank"), default={})  # the likeliest has rank 1
        texts.append(own.get("decoded_token", ""))
        values.append(own.get("logprob"))
    return _checked(texts, values)


def _checked(texts: Sequence[Any], values: Sequence[Any]) -> list[tuple[str, float]] | None:
    _, *rest = values or (None,)
    if len(texts) != len(values) or not all(isinstance(value, int | float) and math.isfinite(value) for value in rest):
        return None
    return list(zip(map(str, texts), (0.0, *map(float, rest)), strict=True))


def _same(texts: str, candidate: str) -> bool:
    """Whether tokens make up a candidate; where parts of characters are tokens, their texts do not tell."""
    return "\ufffd" in texts or "bytes:" in texts or texts.strip() == candidate.strip()
