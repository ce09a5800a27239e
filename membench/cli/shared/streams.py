"""Standard output and error as they may be: closed, full, a pipe that nobody reads, without some letters."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

UNREAD, FULL = 141, 2  # exit statuses: as of a program that a closed pipe ended; and of one that has said why


@dataclass
class Output:
    """What standard output came to: the exit status that it gives the program, 0 while all could be written."""

    status: int = 0


def prepare() -> None:
    """Write nowhere in place of a closed stream; letters that an encoding lacks are written as escapes."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (it lives as long as we do)
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def broken_output() -> Iterator[Output]:
    """Everything printed within is written at the end; where it cannot be, one line says so, and the status.

    A reader that has read enough, such as `head`, gets no line.
    """
    output = Output()
    try:
        yield output
        sys.stdout.flush()
    except OSError as error:
        if not _of_output(error):
            raise
        output.status = _gave_up(error)
    except SystemExit:
        if not hasattr(sys.stdout, "wrapped"):  # what click puts around the streams when a reader has gone
            raise
        output.status = _gave_up(BrokenPipeError(errno.EPIPE, "Broken pipe"))


def _of_output(error: OSError) -> bool:
    """Whether this is about standard output: errors of files name them."""
    return error.filename is None and error.errno in (errno.EPIPE, errno.ENOSPC, errno.EIO, errno.EBADF, errno.EFBIG)


def _gave_up(error: OSError) -> int:
    """Forget what is left to write, which would be tried again at the program's end; the status."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    if error.errno == errno.EPIPE:
        return UNREAD
    print(f"membench: standard output cannot be written ({error.strerror})", file=sys.stderr)
    return FULL
