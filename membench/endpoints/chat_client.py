"""A model behind an OpenAI-compatible chat endpoint: messages in; text, tokens and how it ended out.

What an endpoint refuses by its own error (temperature 0, a system role, a limit on tokens, a form of the reply) is left
out, and the request is sent again; a client learns that once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from membench.endpoints.endpoint_address import Address
from membench.endpoints.http_call import PASSING, Call, Limits, NoAnswer
from membench.errors import MembenchError

Talk = Sequence[tuple[str, str]]  # (role, content)

SHOWN = 200  # characters of what an endpoint said, in an error
REFUSING = (0, 400, 422, 500, 501)  # statuses whose error may name what is refused; 0 is an error without one

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
_SAYING = ("message", "msg", "detail", "error", "errors", "param", "loc", "reason", "description", "metadata", "raw")


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
        self.limits = limits or Limits()
        self.refused: set[str] = set()

    def reply(self, talk: Talk, schema: Mapping[str, Any] | None = None, max_tokens: int | None = None) -> ChatReply:
        """The reply to a talk at temperature 0; in the form of a JSON schema and of at most `max_tokens` tokens where
        the endpoint takes that.

        Raises MembenchError that names the endpoint and says what came, if that is no reply.
        """
        try:
            with Call(self.limits) as call:
                body, status = self._asked(call, talk, schema, max_tokens)
            return _read(body, status)
        except MembenchError as error:
            raise MembenchError(self.where.hide(f"{self.where.public} {error}")) from error

    def _asked(
        self, call: Call, talk: Talk, schema: Mapping[str, Any] | None, max_tokens: int | None
    ) -> tuple[Any, int]:
        """What came with the last request, and its status; more than one where something is refused or passes."""
        tries = 0
        while True:
            payload = self._payload(talk, schema, max_tokens)
            wait = None
            try:
                answer = call.post(self.where.url, payload, self.where.headers)
                body = _opened(self.where.hide(answer.body.decode("utf-8-sig", errors="replace")))
                status = _status(body, answer.status)
                if 0 < status < 400:
                    return body, status
                said = _said(body)
                if status in REFUSING and (named := self._named(payload, said)):
                    self.refused.add(named)
                    continue
                wait, failure = (
                    answer.wait,
                    NoAnswer(f"answered {status or 'with an error'}: {shown(said)}", status in PASSING),
                )
            except NoAnswer as error:
                failure = error
            tries += 1
            if not failure.passing or tries >= call.limits.tries:
                raise failure
            try:
                call.pause(tries, wait)
            except NoAnswer as error:
                raise NoAnswer(f"{failure}; it {error}") from failure

    def _payload(self, talk: Talk, schema: Mapping[str, Any] | None, max_tokens: int | None) -> dict[str, Any]:
        if "system" in self.refused:
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
            payload["max_completion_tokens" if "max_tokens" in self.refused else "max_tokens"] = max_tokens
        return {name: value for name, value in payload.items() if name not in self.refused}

    def _named(self, payload: Mapping[str, Any], said: str) -> str | None:
        """Which part of a request an error names, of those that can be left out."""
        sent = {*payload, *(message["role"] for message in payload["messages"])}
        return next((name for name, pattern in _REFUSALS.items() if name in sent and pattern.search(said)), None)


def without_system(talk: Talk) -> Talk:
    """A talk whose system messages stand before the first of the user's, in the same message."""
    rules = [content for role, content in talk if role == "system"]
    rest = [(role, content) for role, content in talk if role != "system"]
    first = next((i for i, (role, _) in enumerate(rest) if role == "user"), None)
    if first is None:
        return [("user", "\n\n".join(rules)), *rest]
    rest[first] = ("user", "\n\n".join([*rules, rest[first][1]]))
    return rest


def shown(said: str) -> str:
    """The beginning of what an endpoint said, on one line and without control characters."""
    flat = " ".join("".join(letter if letter.isprintable() else " " for letter in said[: 4 * SHOWN]).split())
    return (flat if len(flat) <= SHOWN else f"{flat[:SHOWN]}…") or "nothing"


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


def _opened(said: str) -> Any:
    """A body as JSON; as text if it is none."""
    try:
        return json.loads(said)
    except (ValueError, RecursionError):
        return said


def _status(body: Any, status: int) -> int:
    """The status of an error that came with status 200, as its code says; 0 if that says none. Else the status."""
    error = body.get("error") if isinstance(body, dict) and not body.get("choices") else None
    if status >= 400 or not error:
        return status
    code = str(error.get("code")) if isinstance(error, dict) else ""
    return int(code) if re.fullmatch(r"[45]\d\d", code, re.ASCII) else 0


def _said(body: Any, depth: int = 6) -> str:
    """What a body says of an error: the texts of the fields that servers put it into, or else all that came."""
    found: list[str] = []

    def walk(value: Any, left: int) -> None:
        if isinstance(value, str | int) and not isinstance(value, bool):
            found.append(str(value))
        elif isinstance(value, list) and left:
            for item in value:
                walk(item, left - 1)
        elif isinstance(value, dict) and left:
            for name in _SAYING:
                if name in value:
                    walk(value[name], left - 1)

    walk(body, depth)
    return " ".join(dict.fromkeys(found)) or json.dumps(body)


def _read(body: Any, status: int) -> ChatReply:
    """The reply in a chat completion. Raises MembenchError for what is none."""
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
    text = (content or "").encode(errors="replace").decode()  # half of a surrogate pair can be in no file
    usage = body.get("usage") if isinstance(body.get("usage"), dict) else {}
    return ChatReply(spoken(text), _count(usage, "prompt_tokens"), _count(usage, "completion_tokens"), ended)


def _part(part: Any) -> str:
    """The text of a part of a message; "" of a part that is something else, such as a thought or an image."""
    if isinstance(part, str):
        return part
    said = part.get("text") if isinstance(part, dict) and part.get("type", "text") in ("text", "output_text") else None
    return said if isinstance(said, str) else ""


def _count(usage: Mapping[str, Any], name: str) -> int:
    count = usage.get(name)
    return count if isinstance(count, int) and not isinstance(count, bool) and count > 0 else 0
