"""A package from outside, installed by pip: listed, played, and in the table."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from membench.cli.app import main

pytestmark = pytest.mark.long

PLUGIN = Path(__file__).parents[1] / "plugin"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that pip installed the package into; built from a copy, which keeps the repository clean."""
    source = shutil.copytree(PLUGIN, tmp_path_factory.mktemp("plugin") / "source")
    target = source.parent / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--target", str(target), str(source)], check=True, capture_output=True)
    return target


def test_it_is_listed_played_and_in_the_table(
    installed: Path, tiny: Path, data_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(installed)
    runner = CliRunner()

    listed = json.loads(runner.invoke(main, ["ls", "methods", "--json"]).stdout)
    assert {"notepad": "membench-notepad"}.items() <= {row["name"]: row["origin"] for row in listed}.items()

    where = ["-o", str(tmp_path / "results")]
    played = runner.invoke(
        main,
        [
            "run",
            "-m",
            "notepad",
            "-t",
            "twice",
            "--data",
            f"jsonl:{data_file}",
            "--model",
            str(tiny),
            "-M",
            "pages=1",
            *where,
        ],
    )
    assert played.exit_code == 0, played.stderr
    assert "notepad" in played.stdout

    table = runner.invoke(main, ["leaderboard", str(tmp_path / "results"), "--format", "json"])
    rows = [row for row in json.loads(table.stdout) if row["method"] == "notepad" and row["subset"] == "all"]
    assert [(row["task"], row["metric"], row["status"], row["settings"]) for row in rows] == [
        ("twice", "contains", "done", {"pages": 1})
    ]
    assert rows[0]["contexts"] == 2
    assert rows[0]["coverage"] == 1
    assert 0 <= rows[0]["score"] <= 1


def test_its_method_keeps_the_contract(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(installed)
    result = CliRunner().invoke(main, ["check", "notepad"])
    assert result.exit_code == 0, result.stdout
    assert "FAIL" not in result.stdout
