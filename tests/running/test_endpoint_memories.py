"""Every memory that brings text is played on a model behind an endpoint, and what is said of the others is true."""

from __future__ import annotations

import io
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from membench.endpoints import http_call
from membench.errors import MembenchError
from membench.model.llm import LLM
from membench.planning.request import Request
from membench.planning.served import TEXT_METHODS
from membench.plugins.tiny_model import tiny_encoder
from membench.running import runner
from tests.support.model_server import serving_model

pytestmark = pytest.mark.long

ENCODING = ("dpr", "hybrid", "raptor")
NAMED = [*TEXT_METHODS.split(", "), "bm25+contextual", "process"]
PROGRAM = Path(__file__).parents[2] / "examples" / "bm25.pl"


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"encoder={tiny_encoder(tmp_path_factory.mktemp('encoder') / 'tiny')}"


def play(request: Request) -> list[dict[str, Any]]:
    return runner.run(request, Console(quiet=True, file=io.StringIO()))


@pytest.mark.parametrize("name", NAMED)
def test_each_method_that_is_named_plays(
    name: str, llm: LLM, data_file: Path, tmp_path: Path, encoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "process" and not shutil.which("perl"):
        pytest.skip("no perl here")
    settings = (encoder,) if name in ENCODING else (f"command=perl {PROGRAM}",) if name == "process" else ()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-this-test")
    monkeypatch.setattr(http_call, "BACKOFF", 0.01)
    with serving_model(llm, max_model_len=llm.window) as server:
        request = Request(
            methods=(name,), tasks=("batch",), data=(f"jsonl:{data_file}",), model="openai:tiny", limit=2,
            base_url=server.url, output=tmp_path / "far", yardsticks=False,
            method_settings=settings,
        )  # fmt: skip
        results = play(request)
        assert [(r["recipe"]["method"], r["status"]) for r in results] == [(name, "done")]
        for other in ("rerank", "cartridge-bank", "bm25+selfparam"):
            with pytest.raises(MembenchError, match="behind an endpoint"):
                runner.run(
                    replace(request, methods=(other,), method_settings=()), Console(quiet=True, file=io.StringIO())
                )
