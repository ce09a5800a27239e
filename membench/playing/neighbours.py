"""Which other cells are played on this machine meanwhile: seconds beside them are no measure of a method alone.

Each player holds the lock of a file of its own, in one folder for all runs of a user that share a cache, for as long as
it plays. The system frees the lock of a process that ends in whatever way.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from membench.io import weights


class Neighbours:
    """Counts the others from `here` on; what comes or goes leaves its mark on the folder, so that none is missed."""

    def __init__(self) -> None:
        name = hashlib.sha256(str(weights.home().absolute()).encode()).hexdigest()[:12]
        self._folder = Path(tempfile.gettempdir()) / f"membench-playing-{name}"
        self._own = self._folder / f"{os.getpid()}-{secrets.token_hex(4)}"
        self._last = 0, 0

    @contextlib.contextmanager
    def here(self) -> Iterator[None]:
        """Be counted by the others while a cell is played."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in self._folder.iterdir():
            if not _alive(path):
                path.unlink(missing_ok=True)
        with FileLock(self._own):
            self._last = self._now()
            try:
                yield
            finally:
                self._own.unlink(missing_ok=True)

    def since(self) -> int:
        """The most others that were seen playing since the last call; at least 1 if one came or went meanwhile."""
        before, self._last = self._last, self._now()
        return max(before[0], self._last[0], int(before[1] != self._last[1]))

    def _now(self) -> tuple[int, int]:
        """How many others there are, and when last one came or went."""
        changed = self._folder.stat().st_mtime_ns
        return sum(_alive(path) for path in self._folder.iterdir() if path != self._own), changed


def _alive(path: Path) -> bool:
    """Whether a process holds the lock of this file."""
    try:
        lock = FileLock(path, timeout=0, thread_local=False)
        with lock:
            return False
    except Timeout:
        return True
