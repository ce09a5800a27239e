"""One run at a time plays a cell: between processes, between hosts, and where the file system has no locks."""

from __future__ import annotations

import errno
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from membench.errors import MembenchError
from membench.io import locks
from membench.store import cell_folder
from membench.store.record_log import RecordLog

HOLD = """
import pathlib, socket, sys
from membench.io import locks
from membench.store import cell_folder
folder, host, seconds, hard = sys.argv[1:]
if host:
    socket.gethostname = lambda: host
locks.LEASE_SECONDS = float(seconds)
if not hard:
    locks.FileLock.acquire = lambda *_, **__: None
with cell_folder.lock(pathlib.Path(folder)) as mine:
    print(mine, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "LEASE_SECONDS", 1.0)


def holder(folder: Path, host: str = "", hard: str = "") -> subprocess.Popen[str]:
    """A process that has the lock, on a host of that name, and without `hard` on a file system without locks."""
    command = [sys.executable, "-c", HOLD, str(folder), host, "1.0", hard]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    return process


def test_a_lock_holds_between_processes_and_goes_with_its_holder(tmp_path: Path, short: None) -> None:
    with holder(tmp_path, hard="yes") as other:
        with cell_folder.lock(tmp_path) as mine:
            assert not mine
        other.kill()
        with cell_folder.lock(tmp_path, wait=True) as mine, cell_folder.lock(tmp_path) as again:
            assert (mine, again) == (True, False)
    assert not (tmp_path / ".lock.lease").exists()


@pytest.mark.parametrize("host", ["", "elsewhere"])
def test_without_locks_of_the_system_the_lease_holds(tmp_path: Path, host: str, short: None) -> None:
    """A process that lives keeps its lease, however long it is busy; of one that is gone, it is taken over."""
    with holder(tmp_path, host) as other:
        for _ in range(2):
            with cell_folder.lock(tmp_path) as mine:
                assert not mine
            time.sleep(0.8)
        other.kill()
        other.wait()
        with cell_folder.lock(tmp_path) as mine:
            assert mine == (not host)  # of another host nobody knows at once
        with cell_folder.lock(tmp_path, wait=True) as mine:
            assert mine


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_that_refuses_locks_is_played_on(
    tmp_path: Path, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise OSError(code, "no locks here")

    monkeypatch.setattr("membench.io.locks.FileLock.acquire", refused)
    with cell_folder.lock(tmp_path) as mine, cell_folder.lock(tmp_path) as again:
        assert (mine, again) == (True, False)


def test_a_lease_is_taken_over_where_names_cannot_be_exchanged(
    tmp_path: Path, short: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on network file systems; from 4.3 on filelock exchanges none."""
    monkeypatch.setattr("filelock._soft.exchange_names", lambda *_: False, raising=False)
    monkeypatch.setattr(locks, "LEASE_SECONDS", 0.3)
    lease = tmp_path / ".lock.lease"
    lease.write_text("filelock/2\npid=7\nhost=elsewhere\nmode=lease\ntoken=t\nduration=0.3\nstart=1\n")
    with cell_folder.lock(tmp_path, wait=True) as mine:
        assert mine
        assert "elsewhere" not in lease.read_text()


def test_a_lease_that_a_kill_left_empty_is_soon_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "LEASE_SECONDS", 2.0)
    (tmp_path / ".lock.lease").touch()
    started = time.monotonic()
    with cell_folder.lock(tmp_path) as early:
        assert not early, "its owner may be about to write it"
    with cell_folder.lock(tmp_path, wait=True) as mine:
        assert mine
    assert time.monotonic() - started < 2.0


def test_what_was_taken_over_stores_nothing_more(tmp_path: Path, short: None) -> None:
    with cell_folder.lock(tmp_path), RecordLog.open(tmp_path) as log:
        (tmp_path / ".lock.lease").unlink()
        (tmp_path / ".lock.lease").write_text("another's")
        time.sleep(0.8)
        with pytest.raises(MembenchError, match="was taken over by another run"):
            log.append({"type": "write", "episode": "a", "step": 0, "contexts": [], "seconds": 1.0, "tokens": {},
                        "memory": "m", "state_bytes": 0, "growth_bytes": 0})  # fmt: skip
    assert (tmp_path / "records.jsonl").read_bytes() == b""


def test_what_cannot_be_locked_is_one_line(tmp_path: Path) -> None:
    (tmp_path / ".lock").mkdir()
    with pytest.raises(MembenchError, match=r"cannot write .*\.lock"), cell_folder.lock(tmp_path):
        pass
