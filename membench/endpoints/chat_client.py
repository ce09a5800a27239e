"""A model behind an OpenAI-compatible chat endpoint: messages in; text, tokens and how it ended out.

What an endpoint refuses by its own error (temperature 0, a system role, a limit on tokens, a form of the reply) is left
out, and the request is sent again; a client learns that once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from membench.endpoints.endpoint_address import Address
from membench.endpoints.endpoint_call import Asking, count, shown
from membench.endpoints.http_call import Limits
from membench.errors import MembenchError
from membench.text.halves import marked_halves

Talk = Sequence[tuple[str, str]]  # (role, content)

_REFUSALS = {
    "temperature": re.compile(r"temperature", re.IGNORECASE),
    "response_format": re.compile(r"response_?format|json_?schema|structured.output|guided|grammar", re.IGNORECASE),
    "max_tokens": re.compile(r"max_tokens", re.IGNORECASE),
    "max_completion_tokens": re.compile(r"max_completion_tokens", re.IGNORECASE),
    "system": re.compile(
        r"\broles?\b|system.(?:role|message|prompt|instruction)|['\"`]system['\"`]|developer.(?:instruction|message)",
        re.IGNORECASE,
    ),
}
_THINKING = re.compile(r"<(/?)(?:think|thinking|thought|reasoning)>", re.IGNORECASE)


@dataclass(frozen=True)
class ChatReply:
    """`text` without what the model thought aloud; tokens `read` and `generated` as the endpoint counts them, 0 where
    it does not; `finish_reason` as it says, `length` for a reply that was cut.
    """

    text: str
    read: int = 0
    generated: int = 0
    finish_reason: str | None = None

    @property
    def cut(self) -> bool:
        """Whether the reply ends where a limit on tokens was reached."""
        return self.finish_reason in ("length", "max_tokens")


class ChatClient:
    """One model at one endpoint. `refused` holds what the endpoint does not take."""

    def __init__(self, model: str, where: Address, limits: Limits | None = None):
        self.model = model
        self.where = where
        self._asking = Asking(where, limits or Limits(), _REFUSALS)

    @property
    def refused(self) -> set[str]:
        """What the endpoint does not take."""
        return self._asking.refused

    def reply(self, talk: Talk, schema: Mapping[str, Any] | None = None, max_tokens: int | None = None) -> ChatReply:
        """The reply to a talk at temperature 0; in the form of a JSON schema and of at most `max_tokens` tokens where
        the endpoint takes that.

        In place of half of a character (a lone surrogate) U+FFFD stands. Raises MembenchError that names the endpoint
        and says what came, if that is no reply.
        """
        try:
            body, status = self._asking.ask(lambda refused: self._payload(talk, schema, max_tokens, refused))
            found = chat_reply(body, status)
            return replace(found, text=marked_halves(found.text))
        except MembenchError as error:
            raise MembenchError(self.where.hide(f"{self.where.public} {error}")) from error

    def _payload(
        self, talk: Talk, schema: Mapping[str, Any] | None, max_tokens: int | None, refused: set[str]
    ) -> dict[str, Any]:
        if "system" in refused:
            talk = without_system(talk)
        payload: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": role, "content": content} for role, content in talk],
            "temperature": 0,
        }
        if schema is not None:
            form = {"name": "reply", "strict": True, "schema": schema}
            payload["response_format"] = {"type": "json_schema", "json_schema": form}
        if max_tokens is not None:
            payload["max_completion_tokens" if "max_tokens" in refused else "max_tokens"] = max_tokens
        return {name: value for name, value in payload.items() if name not in refused}


def without_system(talk: Talk) -> Talk:
    """A talk whose system messages stand before the first of the user's, in the same message."""
    rules = [content for role, content in talk if role == "system"]
    rest = [(role, content) for role, content in talk if role != "system"]
    first = next((i for i, (role, _) in enumerate(rest) if role == "user"), None)
    if first is None:
        return [("user", "\n\n".join(rules)), *rest]
    rest[first] = ("user", "\n\n".join([*rules, rest[first][1]]))
    return rest


def spoken(text: str) -> str:
    """A reply without what the model thought aloud, between tags; also where only one of the tags is there."""
    kept: list[str] = []
    place, thinking = 0, False
    for tag in _THINKING.finditer(text):
        if tag[1]:
            kept = kept if thinking else []  # it began in the prompt
            place, thinking = tag.end(), False
        elif not thinking:
            kept.append(text[place : tag.start()])
            thinking = True
    return "".join(kept if thinking else [*kept, text[place:]]).strip()


def chat_reply(body: Any, status: int) -> ChatReply:
    """The reply in a chat completion, as it came. Raises MembenchError for what is none."""
    choices = body.get("choices") if isinstance(body, dict) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        came = body if isinstance(body, str) else json.dumps(body)
        raise MembenchError(
            f"sent no chat completion (a base URL ends in /v1), but with status {status}: {shown(came)}"
        )
    message, reason = choices[0].get("message"), choices[0].get("finish_reason")
    ended = reason if isinstance(reason, str) else None
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(message, dict) or not isinstance(content, str | list | None):
        raise MembenchError(
            f"sent a reply without a message (finish_reason {shown(str(ended))}): {shown(json.dumps(choices[0]))}"
        )
    if isinstance(content, list):
        content = "".join(_part(part) for part in content)
    usage = body.get("usage")
    text = spoken(content or "")
    return ChatReply(text, count(usage, "prompt_tokens"), count(usage, "completion_tokens"), ended)


def _part(part: Any) -> str:
    """The text of a part of a message; "" of a part that is something else, such as a thought or an image."""
    if isinstance(part, str):
        return part
    said = part.get("text") if isinstance(part, dict) and part.get("type", "text") in ("text", "output_text") else None
    return said if isinstance(said, str) else ""
