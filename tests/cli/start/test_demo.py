"""`membench demo` on the tiny model."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import membench.documents
from membench.cli.app import main
from membench.cli.play.run import run

DEMO = Path(membench.documents.__file__).with_name("demo")


def test_the_demo_plays_its_folder(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("membench.cli.start.demo.DEMO", (DEMO, ("bm25",), 2))
    (model,) = [option for option in run.params if option.name == "model"]
    monkeypatch.setattr(model, "default", str(tiny))
    done = CliRunner().invoke(main, ["demo", "-o", str(tmp_path / "demo")])
    assert done.exit_code == 0, done.stderr
    assert done.stderr.startswith(f"$ membench run -m bm25 -t single --data folder:{DEMO} -L 2")
    assert "folder:demo" in done.stdout
    assert len(list((tmp_path / "demo").glob("*/result.json"))) == 3
