"""docs/tutorial.md, played from its first line to its last: what it shows is what is printed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from membench.cli import app

pytestmark = pytest.mark.e2e

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(sh|console)\n(.*?)^```\n(?:\n(\|.*?\n)\n)?", re.DOTALL | re.MULTILINE)


def test_every_command_prints_what_the_page_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    played = 0
    for kind, body, table in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if kind == "sh":
            subprocess.run(["bash", "-e", "-c", body], check=True)
            continue
        command, _, shown = body.removeprefix("$ membench ").partition("\n")
        result = CliRunner().invoke(app.main, command.split())
        assert result.exit_code in (0, 3), result.output
        assert not shown or result.stdout.strip() == shown.strip()
        assert table.strip() in result.stdout  # a part of what is printed
        played += 1
    assert played == 5
