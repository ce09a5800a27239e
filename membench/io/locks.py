"""Locks between processes of one host and of several: the system's lock on a file, and a lease beside it.

Some file systems of clusters have no locks, or ones that other hosts do not see. The lease is a small file that names
host and process and that a thread of its own keeps fresh; who finds one that was not kept fresh for LEASE_SECONDS, or
whose process on this host is gone, takes it over.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, LeaseSettingsMismatch, SoftFileLease, Timeout

from membench.errors import MembenchError
from membench.io.atomic_files import cannot_write

LEASE_SECONDS = 180.0  # more than network file systems keep what they know of a file
HEARTBEAT_SECONDS = 20.0
POLL_SECONDS = 0.2
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}

_State = tuple[int, int, int, int]


@dataclass(frozen=True)
class Owner:
    """Who has a lock."""

    host: str
    pid: int


def owner_of(path: Path) -> Owner | None:
    """Who has the lock on a path, by its lease; None where nobody has, or its owner is gone or stands still."""
    lease = Path(f"{path}.lease")
    found = SoftFileLease(lease, lease_duration=LEASE_SECONDS, heartbeat_interval=HEARTBEAT_SECONDS).owner
    try:
        fresh = time.time() - lease.stat().st_mtime < LEASE_SECONDS
    except FileNotFoundError:
        return None
    if found is None or not fresh:
        return None
    here = found.hostname == socket.gethostname()
    return Owner(found.hostname, found.pid) if not here or _runs(found.pid) else None


def _runs(pid: int) -> bool:
    """Whether there is such a process on this host."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


class Hold:
    """The lock on a path, which this process has or waits for. It ends with the process, however that ends."""

    def __init__(self, path: Path):
        self.path, self.mine = path, False
        self._lease_path = Path(f"{path}.lease")
        self._hard = FileLock(path, thread_local=False, fallback_to_soft=False, poll_interval=POLL_SECONDS)
        beat = min(HEARTBEAT_SECONDS, LEASE_SECONDS / 4)
        self._lease = SoftFileLease(
            self._lease_path, lease_duration=LEASE_SECONDS, heartbeat_interval=beat, thread_local=False,
            poll_interval=POLL_SECONDS,
        )  # fmt: skip

    def take(self, wait: bool) -> bool:
        """Take the lock if it is free, or as soon as it is; returns whether it is held. Raises CannotWrite."""
        try:
            self._take_hard(wait)
            self._take_lease(wait)
            self.mine = True
        except Timeout:
            self.release()
        except LeaseSettingsMismatch:
            self.release()
            raise MembenchError(f"{self.path} is held by another version of membench: wait for it to end") from None
        except OSError as error:
            self.release()
            raise cannot_write(error, self.path) from error
        return self.mine

    def release(self) -> None:
        """Give the lock back, if it is held."""
        self._lease.release()
        self._hard.release()
        self.mine = False

    @property
    def lost(self) -> bool:
        """Whether another process took the lock over, as this one stood still for too long."""
        return self.mine and self._lease.compromise is not None

    def _take_hard(self, wait: bool) -> None:
        try:
            self._hard.acquire(timeout=-1 if wait else 0)
        except Timeout:
            raise
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise

    def _take_lease(self, wait: bool) -> None:
        while True:
            before = self._state()
            torn = before is not None and before[-1] == 0  # its owner was killed between making and writing it
            patience = LEASE_SECONDS / 4 if torn else 2 * LEASE_SECONDS
            try:
                self._lease.acquire(timeout=patience if wait else 0)
                return
            except Timeout:
                if not wait:
                    raise
                if before is not None and self._state() == before:
                    self._break(before)

    def _state(self) -> _State | None:
        """What changes with each heartbeat of whoever has the lease."""
        with contextlib.suppress(FileNotFoundError):
            found = self._lease_path.lstat()
            return found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size
        return None

    def _break(self, stopped: _State) -> None:
        """Take a stopped owner's lease away where the file system cannot exchange two names, as filelock would."""
        aside = Path(f"{self._lease_path}.stopped")
        with contextlib.suppress(FileNotFoundError):  # another one did so
            self._lease_path.rename(aside)
            if aside.lstat().st_ino != stopped[0]:  # it was taken over meanwhile, and goes back
                with contextlib.suppress(FileExistsError):
                    os.link(aside, self._lease_path)
            aside.unlink()
