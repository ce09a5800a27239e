"""The default model behind a real server (`transformers serve`) answers as it does here, question by question."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from membench.endpoints.model_client import Api, ModelClient
from membench.endpoints.model_probe import probe
from membench.io import weights
from membench.model.llm import LLM
from membench.plugins import registry
from membench.served.allowance import Allowance
from membench.served.endpoint_model import EndpointModel, Terms
from membench.served.kept_answers import KeptAnswers
from membench.values import Recall

pytestmark = pytest.mark.e2e

START = 240  # seconds that a server may take to load the model, on a busy machine


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """The base URL of a server with the default model in float32."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    where = ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu", "--dtype", "float32"]
    command = [str(Path(sys.executable).with_name("transformers")), "serve", str(weights.resolve("smollm2-135m"))]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "NO_PROXY": "127.0.0.1"}
    server = subprocess.Popen([*command, *where], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        ends = time.monotonic() + START
        while time.monotonic() < ends and server.poll() is None and not _answers(f"{url}/health"):
            time.sleep(0.5)
        yield f"{url}/v1"
    finally:
        server.kill()
        server.wait()


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url, trust_env=False).status_code == 200
    except httpx2.TransportError:
        return False


@pytest.mark.parametrize(("api", "style"), [("completions", "plain"), ("chat", "chat")])
def test_a_server_answers_as_the_model_here(served: str, api: Api, style: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    folder = weights.resolve("smollm2-135m")
    here = LLM.load(folder, name="smollm2-135m", dtype="float32", style=style)
    assert probe(str(folder), served, None).api == "completions"
    terms = Terms("", here.window, 2, Allowance(None), KeptAnswers(None))
    far = EndpointModel("openai:smollm2-135m", ModelClient(str(folder), served, api), style, terms)
    data = registry.load("data", "worlds")().load("1", 2, 0)
    asked = [(context.text, q.text) for context in data.contexts for q in context.questions[:3]]
    recall = Recall(contexts=tuple((text,) for text, _ in asked))
    questions = [question for _, question in asked]
    ours, theirs = here.answer(recall, questions), far.answer(recall, questions)
    assert len(asked) == 6
    assert any(reading.text for reading in ours)
    assert [reading.text for reading in theirs] == [reading.text for reading in ours]
    read = far.meter.lap()[1]["reader"]["read"]
    prompts = sum(len(ids) for text, q in asked for ids in here.segment_ids((text,), q))
    assert read == prompts  # the same tokens, as the server counts them
