"""The `openai` writer against a small real server on this machine: what it is asked, and what comes of its replies."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from membench.api import Pair
from membench.errors import MembenchError
from membench.model.llm import LLM
from membench.model.meter import Meter
from membench.targets.scribe import Scribe

pytestmark = pytest.mark.long

TEXT = "Ines Corde built the harbour of Vellmar in 1931. It holds forty ships."
TEST_QUESTION = "Vellmar's harbour goes back to which builder?"
BUILDER = Pair("Who built the harbour of Vellmar?", "Ines Corde")
YEAR = Pair("In what year was the harbour of Vellmar built?", "1931")
SHIPS = Pair("How many ships does the harbour of Vellmar hold?", "forty")


def pairs(scribe: Scribe, writer: str, count: int, meter: Meter | None = None) -> tuple[Pair, ...]:
    return scribe.pairs(writer, TEXT, count, cast(LLM, SimpleNamespace(meter=meter or Meter())))


@dataclass
class Endpoint:
    """What the server replies, in order, and what it was asked."""

    url: str
    replies: list[tuple[int, Any]]
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)


def completion(text: str) -> tuple[int, dict[str, Any]]:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": 100, "completion_tokens": 11, "total_tokens": 111}
    return 200, {
        "id": "1",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [choice],
        "usage": usage,
    }


def lines(*wanted: Pair) -> str:
    return "\n".join(f"Q: {pair.question}\nA: {pair.answer}" for pair in wanted)


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-this-test")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked.requests.append(json.loads(body))
            asked.keys.append(self.headers["Authorization"])
            status, reply = asked.replies.pop(0) if self.path == "/v1/chat/completions" else (404, {})
            content = reply.encode() if isinstance(reply, str) else json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if isinstance(reply, str) else "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("retry-after-ms", "1")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    asked = Endpoint(f"http://127.0.0.1:{server.server_port}/v1", [])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield asked
    server.shutdown()
    server.server_close()
    thread.join()


def test_openai_writes_from_the_passage_alone(endpoint: Endpoint) -> None:
    endpoint.replies = [completion(lines(BUILDER, YEAR, SHIPS))]
    meter = Meter()
    assert pairs(Scribe({}, None, endpoint.url), "openai", 2, meter) == (BUILDER, YEAR)
    [request] = endpoint.requests
    assert request["model"] == "gpt-4o-mini"
    assert request["temperature"] == 0
    said = " ".join(message["content"] for message in request["messages"])
    assert TEXT in said
    assert "Write 2 pairs" in said
    assert TEST_QUESTION not in said
    assert endpoint.keys == ["Bearer key-of-this-test"]
    assert meter.lap()[1] == {"writer": {"read": 100, "generated": 11}}


def test_a_short_reply_is_asked_for_what_is_missing_and_kept(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.replies = [completion(lines(BUILDER)), completion(lines(BUILDER, YEAR, SHIPS))]
    first, second = Meter(), Meter()
    wrote = pairs(Scribe({}, tmp_path, endpoint.url), "openai:some-model", 3, first)
    assert wrote == (BUILDER, YEAR, SHIPS)
    follow_up = endpoint.requests[1]
    assert follow_up["model"] == "some-model"
    assert follow_up["messages"][-2] == {"role": "assistant", "content": lines(BUILDER)}
    assert "Write 2 more" in follow_up["messages"][-1]["content"]
    offline = Scribe({}, tmp_path, endpoint.url, offline=True)
    assert pairs(offline, "openai:some-model", 3, second) == wrote
    assert first.lap()[1] == second.lap()[1] == {"writer": {"read": 200, "generated": 22}}
    assert len(endpoint.requests) == 2


def test_an_endpoint_that_has_no_more_to_say_is_left_alone(endpoint: Endpoint) -> None:
    endpoint.replies = [completion(lines(BUILDER)), completion("I have nothing to add.")]
    assert pairs(Scribe({}, None, endpoint.url), "openai", 8) == (BUILDER,)


def test_a_passing_failure_is_tried_again(endpoint: Endpoint) -> None:
    endpoint.replies = [(503, {"error": {"message": "busy"}}), completion(lines(BUILDER))]
    assert pairs(Scribe({}, None, endpoint.url), "openai", 1) == (BUILDER,)


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ((401, {"error": {"message": "no such\nkey"}}), r"^target writer openai:gpt-4o-mini: .*401.*no such"),
        ((200, "<html>Welcome</html>"), "no chat completion .*ends in /v1"),
        ((200, {"object": "chat.completion", "choices": []}), "no chat completion"),
        (completion("Sorry, I cannot do that."), "has no pairs"),
    ],
)
def test_an_endpoint_that_fails_is_one_line(
    endpoint: Endpoint, tmp_path: Path, reply: tuple[int, Any], message: str
) -> None:
    endpoint.replies = [reply]
    with pytest.raises(MembenchError, match=message) as caught:
        pairs(Scribe({}, tmp_path, endpoint.url), "openai", 2)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_an_endpoint_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch, endpoint: Endpoint) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    nowhere = "http://127.0.0.1:9/v1"
    with pytest.raises(MembenchError, match=r"openai:gpt-4o-mini: Connection error"):
        pairs(Scribe({}, None, nowhere), "openai", 2)


def test_openai_without_key_or_network_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(MembenchError, match="set OPENAI_API_KEY"):
        pairs(Scribe({}, None), "openai", 2)
    with pytest.raises(MembenchError, match="run once without --offline"):
        pairs(Scribe({}, None, offline=True), "openai", 2)
