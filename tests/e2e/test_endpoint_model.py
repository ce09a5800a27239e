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

from membench.endpoints.model_client import ModelClient
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


def test_a_server_answers_as_the_model_here(served: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server makes tokens of the whole text, as `complete` does; `answer` makes them segment by segment."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    folder = weights.resolve("smollm2-135m")
    here = LLM.load(folder, name="smollm2-135m", dtype="float32", style="chat")
    terms = Terms("", here.window, 2, Allowance(None), KeptAnswers(None))
    far = EndpointModel("openai:smollm2-135m", ModelClient(str(folder), served, "chat"), "chat", terms)
    (context,) = registry.load("data", "worlds")().load("1", 1, 0).contexts
    questions = [question.text for question in context.questions[:4]]

    theirs = [reading.text for reading in far.answer(Recall(contexts=((context.text,),) * 4), questions)]
    prompts = [here.prompt((context.text,), question) for question in questions]
    assert theirs == [completion.text.strip() for completion in here.complete(prompts, here.max_new_tokens)]
    assert len(set(theirs)) > 1
    assert far.meter.lap()[1]["reader"]["read"] == sum(len(here.first_ids(prompt)) for prompt in prompts)
