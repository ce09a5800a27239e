"""Standard output that is closed, full, not read to its end, or in another encoding: one line at most, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.stored_cells import put_cell, recipe

LISTED = "ls runs -o cells"


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a folder `cells` has a cell."""
    folder = tmp_path_factory.mktemp("streams")
    put_cell(folder / "cells", recipe("single", "bm25", data="jsonl:caf\u00e9 – ☃.jsonl"))
    return folder


def shell(folder: Path, line: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = line.replace("membench", f"{sys.executable} -m membench")
    environment = {**os.environ, **environment}
    return subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, env=environment, check=False)


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        (
            f"membench {LISTED} > /dev/full",
            2,
            "membench: standard output cannot be written (No space left on device)\n",
        ),
        (f"membench {LISTED} >&-", 0, ""),
        (f"membench {LISTED} 2>&- >&-", 0, ""),
        (f"membench {LISTED} | true; exit ${{PIPESTATUS[0]}}", 141, ""),
    ],
)
def test_no_traceback(cells: Path, line: str, status: int, said: str) -> None:
    done = shell(cells, line)
    assert (done.returncode, done.stderr.decode()) == (status, said)


def test_letters_that_an_encoding_lacks_are_escapes(cells: Path) -> None:
    done = shell(cells, f"membench {LISTED}", PYTHONIOENCODING="latin-1")
    assert done.returncode == 0
    assert b"jsonl:caf\xe9 \\u2013 \\u2603.jsonl" in done.stdout
