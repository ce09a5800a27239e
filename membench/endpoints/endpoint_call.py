"""Asking an OpenAI-compatible endpoint: what passes is tried again, what it refuses by its own error is left out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from membench.endpoints.endpoint_address import Address
from membench.endpoints.http_call import PASSING, Call, Limits, NoAnswer

SHOWN = 200  # characters of what an endpoint said, in an error
REFUSING = (0, 400, 422, 500, 501)  # statuses whose error may name what is refused; 0 is an error without one

_SAYING = ("message", "msg", "detail", "error", "errors", "param", "loc", "reason", "description", "metadata", "raw")
_TOO_LONG = re.compile(r"context.?(?:length|window|size)|too (?:long|large)|maximum.{0,20}length", re.IGNORECASE)

Payload = Callable[[set[str]], dict[str, Any]]  # a request without what is refused


class Asking:
    """One model at one endpoint. `refused` holds what the endpoint does not take, which is learnt once; `refusals` are
    what can be left out, each with the words of an error that names it.
    """

    def __init__(self, where: Address, limits: Limits, refusals: Mapping[str, re.Pattern[str]]):
        self.where = where
        self.limits = limits
        self.refused: set[str] = set()
        self._refusals = refusals

    def ask(self, payload: Payload) -> tuple[Any, int]:
        """What came with the last request, and its status; more than one where something is refused or passes.

        Raises NoAnswer, which may hold what is secret: see `Address.hide`.
        """
        with Call(self.limits) as call:
            tries = 0
            while True:
                sent = payload(self.refused)
                wait = None
                try:
                    answer = call.post(self.where.url, sent, self.where.headers)
                    text, whole = decoded(answer.body)
                    body = opened(self.where.hide(text))
                    status = _status(body, answer.status)
                    if 0 < status < 400:
                        if not whole:
                            raise NoAnswer(f"sent what is no text in UTF-8: {shown(text)}", status=status)
                        return body, status
                    if status in REFUSING and (named := self._named(sent, said(body))):
                        self.refused.add(named)
                        continue
                    wait, failure = answer.wait, _failure(body, status)
                except NoAnswer as error:
                    failure = error
                tries += 1
                if not failure.passing or tries >= call.limits.tries:
                    raise failure
                try:
                    call.pause(tries, wait)
                except NoAnswer as error:
                    raise NoAnswer(f"{failure}; it {error}", True, failure.status) from failure

    def _named(self, payload: Mapping[str, Any], message: str) -> str | None:
        """Which part of a request an error names, of those that can be left out; none if the request is too long."""
        if _TOO_LONG.search(message):
            return None
        sent = {*payload, *(message["role"] for message in payload.get("messages", ()))}
        return next(
            (name for name, pattern in self._refusals.items() if name in sent and pattern.search(message)), None
        )


def shown(text: str) -> str:
    """The beginning of what an endpoint said, on one line and without control characters."""
    flat = " ".join("".join(letter if letter.isprintable() else " " for letter in text[: 4 * SHOWN]).split())
    return (flat if len(flat) <= SHOWN else f"{flat[:SHOWN]}…") or "nothing"


def decoded(body: bytes) -> tuple[str, bool]:
    """A body as text, in UTF-8 or what else JSON may be written in, and whether all of it is that; where it is not,
    U+FFFD stands.
    """
    encoding = json.detect_encoding(body)
    try:
        return body.decode(encoding), True
    except UnicodeDecodeError:
        return body.decode(encoding, errors="replace"), False


def opened(text: str) -> Any:
    """A body as JSON; as text if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def said(body: Any, depth: int = 6) -> str:
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


def count(usage: Any, name: str) -> int:
    """A number of tokens as an endpoint counts them; 0 where it does not."""
    found = usage.get(name) if isinstance(usage, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) and found > 0 else 0


def _failure(body: Any, status: int) -> NoAnswer:
    return NoAnswer(f"answered {status or 'with an error'}: {shown(said(body))}", status in PASSING, status)


def _status(body: Any, status: int) -> int:
    """The status of an error that came with status 200, as its code says; 0 if that says none. Else the status."""
    error = body.get("error") if isinstance(body, dict) and not body.get("choices") else None
    if status >= 400 or not error:
        return status
    code = str(error.get("code")) if isinstance(error, dict) else ""
    return int(code) if re.fullmatch(r"[45]\d\d", code, re.ASCII) else 0
