"""A model that is read slowly says so: in its cells' recipes and ids, and in a line when a run begins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

import membench
from membench.cli.app import main
from membench.planning.request import Request
from membench.running import runner
from tests.support.architectures import build


def test_the_recipe_and_a_line_name_the_slow_reader(
    tiny: Path, data_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given: dict[str, Any] = {"data": f"jsonl:{data_file}", "limit": 1, "output": tmp_path / "out", "yardsticks": False}
    slow = build("gpt-neo", tmp_path / "gpt-neo")
    (result,) = membench.run("bm25", "single", model=str(slow), **given)
    assert result["status"] == "done"
    assert result["recipe"]["reader"] == "slow"
    assert capsys.readouterr().err.count("gpt-neo is read slowly") == 1
    (fast,) = membench.run("bm25", "single", model=str(tiny), **given)
    assert "reader" not in fast["recipe"]
    shown = CliRunner().invoke(main, ["show", result["id"], "-o", str(given["output"])]).output
    assert "| reader | slow |" in shown


def test_what_is_done_is_known_without_loading(
    data_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = Request(
        ("bm25",), ("single",), (f"jsonl:{data_file}",), str(build("gpt-neo", tmp_path / "gpt-neo")), limit=1,
        output=tmp_path / "out", yardsticks=False,
    )  # fmt: skip
    assert "reader" not in runner.plan_cells(request)[0][0].recipe, "nobody has tried it, and a plan loads nothing"
    (first,) = runner.run(request, Console(quiet=True))
    monkeypatch.setattr("membench.model.llm.LLM.load", lambda *_, **__: pytest.fail("it was loaded"))
    assert runner.run(request, Console(quiet=True)) == [first]
    assert runner.plan_cells(request)[1] == {first["id"]}
