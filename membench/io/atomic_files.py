"""Writing files so that they are there whole or not at all, and saying why they could not be written."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import time
from pathlib import Path

from membench.errors import MembenchError

STALE_SECONDS = 3600.0  # no file takes longer to write
PART = ".part"  # how the names of what is being written end


class CannotWrite(MembenchError):
    """A file of a run could not be written; what was closed before stands."""


class DiskFull(CannotWrite):
    """No room on the disk."""


def write_all(descriptor: int, data: bytes, place: Path) -> None:
    """Write all bytes to an open file; raises CannotWrite, DiskFull where they do not fit."""
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError as error:
        raise cannot_write(error, place) from error


def replace_file(path: Path, data: bytes, durable: bool = True) -> None:
    """Put a file in place by one rename, so that it is there whole or not at all.

    That holds even if the machine stops, unless `durable` is False. Raises CannotWrite, also for a device or a pipe,
    which a rename would take away.
    """
    with contextlib.suppress(OSError):
        kind = path.lstat().st_mode
        if stat.S_ISCHR(kind) or stat.S_ISBLK(kind) or stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind):
            raise CannotWrite(f"cannot write {path} (it is a device or a pipe): name a file")
    temporary = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}{PART}")  # processes of several hosts
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        try:
            write_all(descriptor, data, path)
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)
    except OSError as error:
        raise cannot_write(error, path) from error
    finally:
        # What could not be made cannot be removed; the first error is the one to tell.
        with contextlib.suppress(OSError):
            temporary.unlink()


def half_written(name: str) -> bool:
    """Whether a file or a folder of this name is still being written, or was when its writer was killed."""
    return name.endswith(PART)


def refuse_link(path: Path, option: str) -> None:
    """Refuse to write over a symbolic link: it may lead to a file that nobody named. Raises MembenchError."""
    if path.is_symlink():
        raise MembenchError(f"{path} is a symbolic link: name the place it leads to with {option}, or take it away")


def sweep_parts(folder: Path, pattern: str = "*", older: float = STALE_SECONDS) -> None:
    """Take away what killed processes were writing in a folder, where it is older than so many seconds.

    What another process is writing now is younger. What cannot be looked at or removed stays.
    """
    for path in folder.glob(f"{pattern}{PART}"):
        with contextlib.suppress(OSError):  # another one swept it, or it is not ours to remove
            if stat.S_ISREG((found := path.lstat()).st_mode) and time.time() - found.st_mtime >= older:
                path.unlink()


def cannot_write(error: OSError, place: Path) -> CannotWrite:
    """What to raise in place of a failed write: a line for the user."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"no room on the disk for {place}: make some and run the same command again, it resumes")
    reason = error.strerror or type(error).__name__
    return CannotWrite(f"cannot write {place} ({reason}): mend it, or name another folder with --output")


def make_folder(folder: Path) -> None:
    """A folder with those above it, if it is not there. Raises CannotWrite."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(error, folder) from error
