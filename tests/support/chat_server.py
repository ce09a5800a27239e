"""A small real chat endpoint on this machine: what it replies, in order, and what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = tuple[int, Any] | tuple[int, Any, dict[str, str]] | Callable[[BaseHTTPRequestHandler], None]


@dataclass
class ChatServer:
    """`replies` are (status, JSON value or text or bytes, headers), or functions that write to the connection, or are
    made of the request by `answer`.
    """

    url: str
    replies: list[Reply] = field(default_factory=list)
    answer: Callable[[dict[str, Any]], Reply] | None = None
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


def completion(content: Any, finish: str = "stop", **message: Any) -> tuple[int, dict[str, Any]]:
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content, **message}}
    usage = {"prompt_tokens": 100, "completion_tokens": 11, "total_tokens": 111}
    return 200, {
        "id": "1",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [choice],
        "usage": usage,
    }


def refusal(message: str, status: int = 400, **fields: Any) -> tuple[int, dict[str, Any]]:
    return status, {"error": {"message": message, **fields}}


@contextmanager
def serving() -> Iterator[ChatServer]:
    """The endpoint while it runs; it knows /v1/chat/completions alone."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.requests.append(body)
            server.keys.append(self.headers["Authorization"])
            server.paths.append(self.path)
            reply: Reply = (404, {})
            if self.path.split("?")[0] == "/v1/chat/completions":
                reply = server.answer(body) if server.answer else server.replies.pop(0)
            if callable(reply):
                self.close_connection = True
                reply(self)
                return
            status, value, *more = reply
            content = (
                value if isinstance(value, bytes) else (value if isinstance(value, str) else json.dumps(value)).encode()
            )
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            for name, text in {"retry-after-ms": "1", **(more[0] if more else {})}.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client may hang up."""

    http = Server(("127.0.0.1", 0), Handler)
    server = ChatServer(f"http://127.0.0.1:{http.server_port}/v1")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
