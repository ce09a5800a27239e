"""What a method says of itself: the name that tables print, and what `membench ls methods` states."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner

import membench
from membench.api import Method, Recall, settings_of
from membench.cli.app import main
from membench.plugins import registry


@dataclass(frozen=True)
class Sized(Method[None]):
    """Keeps nothing, and is called by its setting."""

    storage: ClassVar[str] = "none"
    licence: ClassVar[str] = "MIT"
    size: str = "small"

    @property
    def label(self) -> str | None:
        return f"sized ({self.size})"

    def write(self, memory: None, contexts: Any) -> None:
        pass

    def recall(self, memory: None, questions: Any) -> Recall:
        return Recall()


def test_a_table_calls_a_method_what_it_calls_itself(
    tiny: Path, data_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = registry.load
    monkeypatch.setattr(registry, "load", lambda kind, name: Sized if name == "sized" else plain(kind, name))
    monkeypatch.setattr(registry, "require", lambda kind, names: None)  # it is not registered
    output = tmp_path / "results"
    membench.run("sized", "single", data=f"jsonl:{data_file}", model=str(tiny), output=output)
    rows = membench.leaderboard(output)
    assert {(row["method"], row["label"]) for row in rows} == {
        ("sized", "sized (small)"), ("base", "base (floor)"), ("in-context", "in-context (reference)"),
    }  # fmt: skip
    table = CliRunner().invoke(main, ["leaderboard", str(output)]).stdout
    assert "| sized (small) |" in table
    assert "| base (floor) |" in table


def test_every_method_states_how_its_memory_grows() -> None:
    listed = json.loads(CliRunner().invoke(main, ["ls", "methods", "--json"]).stdout)
    assert [entry["name"] for entry in listed if not entry["storage"]] == []
    for entry in listed:
        cls = registry.load("methods", entry["name"])
        assert (entry["storage"], entry["licence"]) == (cls.storage, cls.licence)
        encoders = "encoder" in settings_of(cls())
        assert encoders == ("CC-BY-NC" in entry["licence"])


def test_the_table_says_how_much_was_cut_and_in_which_regime_it_was_read(
    tiny: Path, data_file: Path, tmp_path: Path
) -> None:
    output = tmp_path / "results"
    given = {"data": f"jsonl:{data_file}", "model": str(tiny), "output": output, "yardsticks": False}
    membench.run("full-context,infllm", "batch", method_settings="full-context.budget=40,infllm.local=100", **given)
    rows = {row["method"]: row for row in membench.leaderboard(output)}
    assert rows["full-context"]["tokens_cut_per_question"] > 0
    assert rows["infllm"]["regime"] > 1
    table = CliRunner().invoke(main, ["leaderboard", str(output), "--columns", "cost"]).stdout
    assert "| dropped | regime |" in table
