"""Without an extra everything works but what needs it, which says so in one line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from membench.cli.app import main
from membench.io.extras import EXTRAS


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in EXTRAS.values():
        for name in [name for name in sys.modules if name.split(".")[0] == module]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, module, None)


@pytest.mark.usefixtures("bare")
def test_what_needs_an_extra_names_it_before_anything_is_played(tiny: Path, data_file: Path, tmp_path: Path) -> None:
    what = ["--data", f"jsonl:{data_file}", "--model", str(tiny), "-L", "2", "-o", str(tmp_path / "r")]
    common = ["-t", "single", *what]
    refused = CliRunner().invoke(main, ["run", "-m", "raptor", *common])
    assert refused.exit_code == 2
    assert refused.stderr.splitlines() == [
        "membench: method raptor needs umap, which is not installed: pip install 'membench[raptor]'"
    ]
    assert not (tmp_path / "r").exists()
    assert CliRunner().invoke(main, ["run", "-m", "bm25", *common]).exit_code == 0
    assert CliRunner().invoke(main, ["leaderboard", str(tmp_path / "r")]).exit_code == 0
    assert CliRunner().invoke(main, ["report", str(tmp_path / "r"), "-o", str(tmp_path / "r.html")]).exit_code == 0
    figures = CliRunner().invoke(main, ["report", str(tmp_path / "r"), "--format", "pdf", "-o", str(tmp_path / "f")])
    assert figures.exit_code == 2
    assert "--format pdf needs matplotlib, which is not installed: pip install 'membench[report]'" in figures.stderr


@pytest.mark.usefixtures("bare")
def test_the_doctor_names_what_is_missing() -> None:
    done = CliRunner().invoke(main, ["doctor"])
    for extra in EXTRAS:
        assert f"missing: {extra} is not installed: run `pip install 'membench[{extra}]'`" in done.stdout
