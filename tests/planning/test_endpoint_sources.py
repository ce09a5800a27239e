"""The endpoint that writes target sentences or summaries is part of a cell's identity, without what is secret."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from membench.endpoints.endpoint_address import OPENAI
from membench.planning.plan import plan
from membench.planning.request import Request
from membench.planning.validation import ModelInfo
from membench.plugins.tiny_model import tiny_encoder

MODEL = ModelInfo("m", "", "w", "float32", "plain")
WRITTEN = Request(("ft-s",), ("single",), limit=1, yardsticks=False, method_settings=("targets=openai:some",))


def recipe(request: Request) -> dict[str, Any]:
    (cell,) = plan(request, MODEL, "")
    return {**cell.recipe, "id": cell.recipe_id}


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


@pytest.mark.parametrize("name", ["targets", "summaries"])
def test_another_endpoint_is_another_cell(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ("summaries=openai:some", f"encoder={tiny_encoder(tmp_path / 'encoder')}")
    request_ = WRITTEN if name == "targets" else replace(WRITTEN, methods=("raptor",), method_settings=settings)
    own = recipe(request_)
    assert "base_url" not in own["sources"][name]
    assert recipe(replace(request_, base_url=OPENAI))["id"] == own["id"]
    url = "http://me:secret@localhost:8000/v1?api_key=hidden"
    found = recipe(replace(request_, base_url=url))
    assert found["sources"][name] == {**own["sources"][name], "base_url": "http://localhost:8000/v1"}
    assert found["id"] != own["id"]
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    assert recipe(request_)["id"] == found["id"], "as the writer reads it"


def test_what_no_endpoint_writes_keeps_its_id() -> None:
    plain = replace(WRITTEN, method_settings=())
    assert recipe(replace(plain, base_url="http://localhost:8000/v1"))["id"] == recipe(plain)["id"]
