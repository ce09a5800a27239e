"""A small real endpoint on this machine that serves the tiny model: completions, chat, a list of models."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import torch

from membench.endpoints.model_probe import PROMPT
from membench.model.llm import LLM

Reply = tuple[int, Any] | tuple[int, Any, dict[str, str]]


@dataclass
class ModelServer:
    """`before` may answer a request in the model's place (None: it does not); `serves` are the paths that there are.

    `bodies` and `paths` are what was asked, `busiest` the most requests that were there at once.
    """

    url: str
    llm: LLM
    entry: dict[str, Any]
    serves: set[str] = field(default_factory=lambda: {"completions", "chat/completions"})
    logprobs: bool = True
    before: Callable[[dict[str, Any]], Reply | None] = lambda _: None
    bodies: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    busiest: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def prompts(self) -> list[str]:
        """What was asked to go on, but for the prompt by which an endpoint is found out."""
        texts = (b.get("prompt") or b["messages"][0]["content"] for b in self.bodies if not b.get("echo"))
        return [text for text in texts if text != PROMPT]

    def reply(self, path: str, body: dict[str, Any]) -> Reply:
        if (ready := self.before(body)) is not None:
            return ready
        if path not in self.serves:
            return 404, {"error": {"message": f"no {path} here"}}
        if body["model"] != self.entry["id"]:
            return 404, {"error": {"message": f"The model `{body['model']}` does not exist."}}
        with self.lock:
            return 200, self._completion(body) if path == "completions" else self._chat(body)

    def _completion(self, body: dict[str, Any]) -> dict[str, Any]:
        ids = self.llm.first_ids(body["prompt"])
        if body.get("echo") and self.logprobs:
            return self._whole({"text": body["prompt"], "logprobs": self._echoed(ids), "finish_reason": "length"}, ids)
        text, count, ended = self._decoded(ids, body)
        return self._whole({"text": text, "finish_reason": ended}, ids, count)

    def _chat(self, body: dict[str, Any]) -> dict[str, Any]:
        ids = self.llm.first_ids("".join(f"<{m['role']}>{m['content']}" for m in body["messages"]))
        text, count, ended = self._decoded(ids, body)
        return self._whole({"message": {"role": "assistant", "content": text}, "finish_reason": ended}, ids, count)

    def _whole(self, choice: dict[str, Any], ids: list[int], generated: int = 1) -> dict[str, Any]:
        usage = {"prompt_tokens": len(ids), "completion_tokens": generated}
        return {"model": self.entry["id"], "choices": [{"index": 0, **choice}], "usage": usage}

    @torch.no_grad()
    def _decoded(self, ids: list[int], body: dict[str, Any]) -> tuple[str, int, str]:
        limit, stop = body.get("max_tokens") or body["max_completion_tokens"], body.get("stop", ["\n"])[0]
        ends = self.llm.tokenizer.eos_token_id
        whole = self.llm.model.generate(
            torch.tensor([ids]), max_new_tokens=limit, do_sample=False, eos_token_id=ends, pad_token_id=ends
        )
        new = whole[0, len(ids) :].tolist()
        text = self.llm.decode(new)
        return text.partition(stop)[0], len(new), "stop" if stop in text or new[-1] == ends else "length"

    @torch.no_grad()
    def _echoed(self, ids: list[int]) -> dict[str, Any]:
        logp = self.llm.model(torch.tensor([ids])).logits[0].float().log_softmax(-1)
        values = [None, *(float(logp[k, token]) for k, token in enumerate(ids[1:]))]
        return {"tokens": [self.llm.tokenizer.decode([i]) for i in ids] + ["x"], "token_logprobs": [*values, -1.0]}


@contextmanager
def serving_model(llm: LLM, **entry: Any) -> Iterator[ModelServer]:
    """The endpoint while it runs; `entry` is what its list says of the model `tiny`."""

    here, counting = 0, threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send(200, {"object": "list", "data": [server.entry]}, {})

        def do_POST(self) -> None:
            nonlocal here
            path = self.path.removeprefix("/v1/").partition("?")[0]
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with counting:
                here += 1
                server.busiest = max(server.busiest, here)
                server.bodies.append(body)
                server.paths.append(path)
                server.keys.append(self.headers["Authorization"])
            try:
                status, value, *more = server.reply(path, body)
            finally:
                with counting:
                    here -= 1
            self.send(status, value, more[0] if more else {})

        def send(self, status: int, value: Any, headers: dict[str, str]) -> None:
            content = json.dumps(value).encode()
            self.send_response(status)
            for name, text in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server = ModelServer(f"http://127.0.0.1:{http.server_port}/v1", llm, {"id": "tiny", "object": "model", **entry})
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
