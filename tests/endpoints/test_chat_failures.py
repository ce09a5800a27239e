"""Failures of an endpoint: those that pass and those that do not, replies without end, calls without an answer."""

from __future__ import annotations

import gzip
import json
import time
import tracemalloc
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from membench.endpoints.chat_client import ChatClient
from membench.endpoints.endpoint_address import address
from membench.endpoints.http_call import Limits
from membench.errors import MembenchError
from tests.support.chat_asking import TALK, client, fails
from tests.support.chat_server import ChatServer, Reply, completion, refusal

pytestmark = pytest.mark.long


def cut_off(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(b'{"id": "1", "choi')


@pytest.mark.parametrize(
    "reply", [refusal("busy", 503), refusal("slow down", 429), cut_off, (200, {"error": {"code": 429}})]
)
def test_a_passing_failure_is_tried_again(server: ChatServer, reply: Reply) -> None:
    server.replies = [reply, reply, completion("Ines")]
    assert client(server).reply(TALK).text == "Ines"
    assert len(server.requests) == 3


def test_a_failure_that_does_not_pass_is_told_after_some_tries(server: ChatServer) -> None:
    assert fails(server, *[refusal("Rate limit reached", 429)] * 9) == "answered 429: Rate limit reached"
    assert len(server.requests) == Limits().tries
    assert fails(server, *[cut_off] * 9, tries=2).startswith("broke off: ")


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_the_wait_that_is_asked_for_is_kept(server: ChatServer, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    after = "1" if form == "seconds" else formatdate(time.time() + 3600, usegmt=True)
    waits: list[float] = []
    monkeypatch.setattr("membench.endpoints.http_call.time.sleep", waits.append)
    status, body = refusal("slow down", 429)
    server.replies = [(status, body, {"retry-after-ms": "none", "Retry-After": after}), completion("Ines")]
    assert client(server, seconds=5000.0).reply(TALK).text == "Ines"
    assert waits == [1.0] if form == "seconds" else 3500 < waits[0] <= 3600


def test_a_wait_longer_than_the_call_is_not_begun(server: ChatServer) -> None:
    reply = (429, {"error": {"message": "quota"}}, {"retry-after-ms": "none", "Retry-After": "3600"})
    started = time.monotonic()
    said = fails(server, reply)
    assert said == "answered 429: quota; it asks to wait 3600 s, and a call ends after 120 s"
    assert time.monotonic() - started < 60


def test_an_endpoint_that_is_not_there_is_one_line(server: ChatServer) -> None:
    nowhere = ChatClient("m", address("http://127.0.0.1:9/v1"))
    with pytest.raises(MembenchError, match=r"^http://127.0.0.1:9/v1 Connection error: .*refused"):
        nowhere.reply(TALK)


def test_a_reply_is_read_up_to_a_limit(server: ChatServer) -> None:
    assert fails(server, (200, b" " * 70_000), size=65_536) == "sent more than 65,536 bytes"
    assert fails(server, (500, b" " * 70_000), size=65_536) == "sent more than 65,536 bytes"


def test_a_packed_reply_is_unpacked_up_to_the_limit(server: ChatServer) -> None:
    bomb = gzip.compress(gzip.compress(b" " * 300 * 2**20, 9), 9)
    assert len(bomb) < 20_000
    tracemalloc.start()
    said = fails(server, (200, bomb, {"Content-Encoding": "gzip, gzip"}), size=2**20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert said == "sent more than 1,048,576 bytes"
    assert peak < 30 * 2**20
    server.replies = [(200, gzip.compress(json.dumps(completion("Ines")[1]).encode()), {"Content-Encoding": "gzip"})]
    assert client(server).reply(TALK).text == "Ines"
    assert "cannot be read" in fails(server, (200, b"no gzip", {"Content-Encoding": "gzip"}))


def drip(start: bytes) -> Any:
    def write(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(start)
        for _ in range(200):
            handler.wfile.write(b"a")
            handler.wfile.flush()
            time.sleep(0.05)

    return write


@pytest.mark.parametrize(
    "start",
    [b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Long: ", b""],
    ids=["body", "headers", "status"],
)
def test_a_call_ends_however_slowly_an_endpoint_drips(server: ChatServer, start: bytes) -> None:
    started = time.monotonic()
    said = fails(server, drip(start), seconds=0.5)
    assert 0.4 < time.monotonic() - started < 5
    assert said == "did not answer within 0.5 s"


def test_an_endpoint_that_says_nothing_is_waited_for_as_long(server: ChatServer) -> None:
    assert fails(server, lambda handler: time.sleep(3), seconds=0.3) == "did not answer within 0.3 s"
