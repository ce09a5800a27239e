"""From documents without questions to a table, and to one answer or what would give it; on the tiny model."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from membench.cli.app import main


def call(line: str) -> Result:
    return CliRunner().invoke(main, shlex.split(line))


def test_one_command_makes_a_table_and_a_second_one_says_what_is_missing(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    docs = Path("my docs")
    docs.mkdir()
    for k in range(12):
        (docs / f"{k:02}.txt").write_text(f"The lamp of hall {k} was made in {1900 + k}. It hangs there still.\n")
    done = call(f"run -m bm25,full-context -t batch --data 'folder:{docs}' --model {tiny}")
    assert done.exit_code == 0, done.stderr
    assert "folder:my docs: the first 10 of its 12 texts are written; --limit 12 writes all" in done.stderr
    assert {row.split(" |")[0] for row in done.stdout.splitlines() if row.startswith("| ")} == {
        "| method", "| :--", "| in-context (reference)", "| bm25", "| full-context", "| base (floor)"
    }  # fmt: skip
    advised = call("advise --texts 2000 --questions-per-month 5000")
    assert (advised.exit_code, advised.stdout.split(":")[0]) == (3, "no choice")
    command = next(line for line in advised.stdout.splitlines() if "size not measured: " in line)
    typed = command.partition("membench ")[2].replace("--model tiny", f"--model {tiny}")
    assert call(f"{typed} --dry-run").exit_code == 0, "the command as it stands there"
    assert advised.stdout.splitlines()[-1] == "then ask again"
    docs.rename("elsewhere")
    away = call("advise --texts 2000 --questions-per-month 5000").stdout.splitlines()[-1]
    assert away == "then ask again; type folder:my docs with the path to it"
