"""`membench run --base-url`: targets from an endpoint on this machine; a secret in its URL stays in the command."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from membench.cli.app import main
from tests.support.chat_server import ChatServer, Reply, completion, refusal, serving

pytestmark = pytest.mark.long

SECRET = "opensesame"


def harbours(request: dict[str, Any]) -> Reply:
    """A pair about the passage that is asked about."""
    match = re.search(r"harbour of (\w+) was built by ([\w ]+) in", request["messages"][-1]["content"])
    pairs = [{"question": f"Who made the harbour of {match[1]}?", "answer": match[2]}] if match else []
    return completion(json.dumps({"pairs": pairs}))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with serving() as running:
        running.answer = harbours
        yield running


def run(url: str, tiny: Path, data_file: Path, out: Path) -> Result:
    chosen = [
        "-m",
        "ft-s",
        "-t",
        "single",
        "-L",
        "2",
        "-M",
        "targets=openai:some-model",
        "-M",
        "epochs=1",
        "--no-yardsticks",
    ]
    places = ["--model", str(tiny), "--data", f"jsonl:{data_file}", "-o", str(out), "--base-url", url]
    return CliRunner().invoke(main, ["run", *chosen, *places])


def test_a_password_is_used_and_stands_nowhere(server: ChatServer, tiny: Path, data_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(server.url.replace("//", f"//me:{SECRET}@"), tiny, data_file, out)
    assert result.exit_code == 0, result.stderr
    assert {str(key).partition(" ")[0] for key in server.keys} == {"Basic"}
    [saved] = (out / "runs").glob("*.yaml")
    assert f"base-url: {server.url}\n" in saved.read_text(encoding="utf-8")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]  # the cache is among them
    assert len(files) > 5
    assert not any(SECRET.encode() in path.read_bytes() for path in files)
    assert SECRET not in result.output


def test_a_cell_whose_endpoint_fails_says_so_without_it(
    server: ChatServer, tiny: Path, data_file: Path, tmp_path: Path
) -> None:
    server.answer = lambda request: refusal(f"me:{SECRET} may not", 403)
    result = run(server.url.replace("//", f"//me:{SECRET}@"), tiny, data_file, tmp_path / "out")
    assert result.exit_code == 1
    assert f"failed: target writer openai:some-model: {server.url} answered 403: me:*** may not" in result.stderr
    assert SECRET not in result.output


@pytest.mark.parametrize("url", ["localhost:8000/v1", "htp://me:opensesame@host/v1"])
def test_what_is_no_url_is_refused_before_anything_is_played(
    url: str, tiny: Path, data_file: Path, tmp_path: Path
) -> None:
    result = run(url, tiny, data_file, tmp_path / "out")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "--base-url wants a URL such as http://localhost:8000/v1" in result.stderr
    assert SECRET not in result.output
    assert not (tmp_path / "out").exists()
