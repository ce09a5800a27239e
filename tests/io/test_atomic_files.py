"""Files are put in place whole, and take nothing away that is no file."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from membench.io.atomic_files import CannotWrite, replace_file


def test_a_pipe_or_a_device_is_refused_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(CannotWrite, match="is a device or a pipe"):
        replace_file(pipe, b"text")
    assert stat.S_ISFIFO(pipe.lstat().st_mode)
    assert list(tmp_path.iterdir()) == [pipe]
