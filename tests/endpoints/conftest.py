"""A server that misbehaves as a test asks it to, with a key, and hardly a wait between tries."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from membench.endpoints import http_call
from tests.support.chat_server import ChatServer, serving


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-this-test")
    monkeypatch.setattr(http_call, "BACKOFF", 0.01)
    with serving() as running:
        yield running
