"""A model under test behind an OpenAI-compatible endpoint: a prompt in, how it goes on out, greedily.

Of two APIs: `completions` reads the very text of a prompt, `chat` reads it as one message of a user, into which the
server puts its own template. What a server tells of itself and its log-probabilities are in
membench.endpoints.model_probe and membench.endpoints.prompt_logprobs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from annotated_types import Ge

from membench.endpoints.chat_client import chat_reply
from membench.endpoints.endpoint_address import address, without_secrets
from membench.endpoints.endpoint_call import Asking, count, shown
from membench.endpoints.http_call import Limits, NoAnswer
from membench.errors import MembenchError
from membench.text.halves import marked_halves

Api = Literal["completions", "chat"]
PATHS: Mapping[Api, str] = {"completions": "completions", "chat": "chat/completions"}
LIMITS = Limits(seconds=600.0, tries=8)  # a rate limit may ask to wait for a minute or more

_REFUSALS = {
    "temperature": re.compile(r"temperature", re.IGNORECASE),
    "stop": re.compile(r"\bstop\b", re.IGNORECASE),
    "chat_template_kwargs": re.compile(r"chat_template_kwargs", re.IGNORECASE),
    "max_tokens": re.compile(r"max_tokens", re.IGNORECASE),  # sent by its other name
}
_AWAY = (None, 401, 402, 403, 408, 425, 429, 502, 503, 504, 529)  # statuses that say nothing of the prompt


class EndpointAway(MembenchError):
    """The endpoint cannot be reached, takes no key or is asked too much: no prompt is the reason."""


@dataclass(frozen=True)
class Continued:
    """How a prompt went on: `text` up to what stops it; tokens `read` and `generated` as the endpoint counts them, 0
    where it does not; `cut` if it ends at the limit on tokens; `model` is what the endpoint calls the model.
    """

    text: str
    read: Annotated[int, Ge(0)] = 0
    generated: Annotated[int, Ge(0)] = 0
    cut: bool = False
    model: str = ""


class ModelClient:
    """One model at one endpoint, asked by one API; several threads may ask at once."""

    def __init__(self, model: str, base_url: str | None, api: Api, limits: Limits = LIMITS):
        self.model = model
        self.api = api
        self.where = address(base_url, PATHS[api])
        self._asking = Asking(self.where, limits, _REFUSALS)

    @property
    def refused(self) -> list[str]:
        """What the endpoint does not take, of what may be left out."""
        return sorted(self._asking.refused)

    def payload(self, prompt: str, max_tokens: int, stop: str) -> dict[str, Any]:
        """The request for how a prompt goes on, before anything is left out."""
        form = {"temperature": 0, "max_tokens": max_tokens, "stop": [stop]}
        if self.api == "completions":
            return {"model": self.model, "prompt": prompt, **form}
        messages = [{"role": "user", "content": prompt}]
        return {"model": self.model, "messages": messages, **form, "chat_template_kwargs": {"enable_thinking": False}}

    def goes_on(self, prompt: str, max_tokens: int, stop: str) -> Continued:
        """How a prompt goes on until `stop`, greedily, at most so many tokens.

        Raises EndpointAway, and MembenchError that names the endpoint and says what came, if that is no answer.
        """
        body, status = self.send(self.payload(prompt, max_tokens, stop))
        try:
            found = _chat(body, status) if self.api == "chat" else _completion(body, status)
        except MembenchError as error:
            raise self.fault(error) from error
        return replace(found, text=found.text.partition(stop)[0])

    def send(self, payload: Mapping[str, Any]) -> tuple[Any, int]:
        """What came in answer to a request, and its status. Raises EndpointAway, MembenchError."""
        try:
            return self._asking.ask(lambda refused: _without(payload, refused))
        except NoAnswer as error:
            raise self.fault(error) from error

    def fault(self, error: MembenchError) -> MembenchError:
        """An error as it may be shown: with the endpoint's name, and without what is secret."""
        away = isinstance(error, NoAnswer) and error.status in _AWAY and (error.passing or error.status is not None)
        kind = EndpointAway if away else MembenchError
        return kind(self.where.hide(f"openai:{self.model} at {self.where.public} {error}"))


def public_url(base_url: str | None) -> str:
    """A base URL as it may be stored, OpenAI's without one. Raises MembenchError."""
    return without_secrets(base_url) if base_url else address(None).public


def _without(payload: Mapping[str, Any], refused: set[str]) -> dict[str, Any]:
    sent = {name: value for name, value in payload.items() if name not in refused}
    if "max_tokens" in refused and "max_tokens" in payload:
        sent["max_completion_tokens"] = payload["max_tokens"]
    return sent


def _completion(body: Any, status: int) -> Continued:
    """The text of a completion. Raises MembenchError for what is none."""
    choices = body.get("choices") if isinstance(body, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(first, dict) or not isinstance(first.get("text"), str):
        came = body if isinstance(body, str) else json.dumps(body)
        raise MembenchError(f"sent no completion (a base URL ends in /v1), but with status {status}: {shown(came)}")
    return _continued(body, first["text"], first.get("finish_reason"))


def _chat(body: Any, status: int) -> Continued:
    """The reply in a chat completion. Raises MembenchError for what is none, and for thoughts without an answer."""
    reply = chat_reply(body, status)
    if not reply.text and _thinks(body):
        raise MembenchError(
            "thinks aloud in place of an answer: serve it with thinking turned off, or take --style plain where it "
            "completes texts"
        )
    return _continued(body, reply.text, reply.finish_reason)


def _thinks(body: Mapping[str, Any]) -> bool:
    message = body["choices"][0]["message"]
    usage = body.get("usage")
    details = usage.get("completion_tokens_details") if isinstance(usage, dict) else None
    said = message.get("reasoning_content") or message.get("reasoning") or message.get("content")
    return bool(said) or count(details, "reasoning_tokens") > 0


def _continued(body: Mapping[str, Any], text: str, ended: Any) -> Continued:
    usage, model = body.get("usage"), body.get("model")
    read, generated = count(usage, "prompt_tokens"), count(usage, "completion_tokens")
    text = marked_halves(text)  # an answer is kept as near to what was said as a file can hold it
    named = marked_halves(model) if isinstance(model, str) else ""
    return Continued(text, read, generated, ended in ("length", "max_tokens"), named)
