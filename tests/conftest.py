"""Fixtures that every test may use: a tiny model, and a cache of its own in place of the user's."""

from __future__ import annotations

from pathlib import Path

import pytest

from membench.model.llm import LLM
from membench.plugins.tiny_model import tiny_llm
from tests.support.harbours import harbours


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`quick` are the fast tests that load no model, start no program and simulate little: they take half a minute.

    Those on the real model come first: a long file that one process begins last would leave the others idle.
    """
    for item in items:
        slow = any(item.get_closest_marker(name) for name in ("e2e", "long", "scale"))
        if not slow and not {"tiny", "llm"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("quick")
    items.sort(key=lambda item: item.get_closest_marker("e2e") is None)


@pytest.fixture(autouse=True)
def own_cache(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Fast tests see an empty cache and results folder; those on the real model use the user's cache."""
    monkeypatch.delenv("MEMBENCH_OUTPUT_DIR", raising=False)
    if request.node.get_closest_marker("e2e") is None:
        monkeypatch.setenv("MEMBENCH_HOME", str(tmp_path / "membench-home"))


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny random model."""
    return tiny_llm(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="session")
def llm(tiny: Path) -> LLM:
    """The tiny model, loaded. Lent to many tests: leave it as it was."""
    return LLM.load(tiny, name="tiny", dtype="float32", device="cpu", style="plain")


@pytest.fixture(scope="session")
def data_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three contexts with two questions each, in the user's own format (`--data jsonl:PATH`)."""
    return harbours(tmp_path_factory.mktemp("data") / "harbours.jsonl")
