"""Reading files and looking at them before they are written: what is no file is named, no link is written through."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from membench.errors import MembenchError

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class NoFile(MembenchError):
    """In place of a file stands something else, or one that may not be read or written."""


def read_plain(path: Path | str) -> bytes:
    """The bytes of a file, or of one that a link leads to.

    Raises FileNotFoundError where there is nothing, NoFile where there is something that cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe would wait for its other end
        try:
            _refuse_kind(path, os.fstat(descriptor).st_mode, "a file")
        except NoFile:
            os.close(descriptor)
            raise
        with open(descriptor, "rb") as file:
            return file.read()
    except FileNotFoundError:
        if os.path.islink(path):
            raise NoFile(f"{path} is a link to nothing") from None
        raise
    except OSError as error:
        raise NoFile(f"{path} cannot be read ({error.strerror})") from None
    except ValueError:  # a zero byte
        raise NoFile(f"no file can be called {str(path)!r}") from None


def refuse_odd_file(path: Path) -> None:
    """Raise NoFile unless there is nothing yet, or a file that may be written; a link is never written through."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise NoFile(f"{path} cannot be looked at ({error.strerror}): move it away") from None
    _refuse_kind(path, mode, "a file")
    _refuse_locked(path)


def refuse_odd_folder(path: Path) -> None:
    """Raise NoFile unless this is a folder itself, no link to one, that may be read and written."""
    try:
        mode = path.lstat().st_mode
    except OSError as error:
        raise NoFile(f"{path} cannot be looked at ({error.strerror}): move it away") from None
    _refuse_kind(path, mode, "a folder")
    _refuse_locked(path)


def _refuse_kind(path: Path | str, mode: int, wanted: str) -> None:
    kind = _KINDS.get(stat.S_IFMT(mode), "a file")
    if kind != wanted:
        raise NoFile(f"{path} is {kind}, no {wanted.removeprefix('a ')}: move it away")


def _refuse_locked(path: Path) -> None:
    if not os.access(path, os.R_OK | os.W_OK):
        raise NoFile(f"{path} may not be read and written: mend its owner or its mode")
