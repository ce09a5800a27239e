"""Asking the misbehaving server, and what the client says of it."""

from __future__ import annotations

from typing import Any

import pytest

from membench.endpoints.chat_client import ChatClient
from membench.endpoints.endpoint_address import address
from membench.endpoints.http_call import Limits
from membench.errors import MembenchError
from tests.support.chat_server import ChatServer, Reply

TALK = [("system", "Be brief."), ("user", "Who built it?")]


def client(server: ChatServer, **limits: Any) -> ChatClient:
    return ChatClient("some-model", address(server.url), Limits(**limits))


def fails(server: ChatServer, *replies: Reply, **limits: Any) -> str:
    """What the error says after the endpoint's name."""
    server.replies = list(replies)
    with pytest.raises(MembenchError) as caught:
        client(server, **limits).reply(TALK)
    said = str(caught.value)
    assert said.startswith(f"{server.url} ")
    assert said.isprintable()
    return said.removeprefix(f"{server.url} ")
