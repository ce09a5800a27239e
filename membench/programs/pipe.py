"""A program that answers a line with a line, and what may go wrong: it ends, hangs, floods or says something else."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence
from typing import IO, NoReturn, cast

from membench.errors import MembenchError, shortened
from membench.text.visible import visible

LINE_BYTES = 64 << 20  # of an answer, at most
_STDERR_BYTES = 8192  # of what it says of itself, from the end
_CHUNK = 1 << 16
_TURN = 0.2  # seconds between two looks whether it still runs
_GRACE = 1.0  # seconds that a program which has closed its output has to end, and its last words to arrive


class Broken(MembenchError):
    """The program cannot be talked to any more; it is dead by now."""


class Pipe:
    """A running program, in a process group of its own. It is started without a shell; POSIX only."""

    def __init__(self, argv: Sequence[str], name: str):
        self.name = name  # in messages
        self._said = bytearray()  # the end of its standard error
        try:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
                start_new_session=True,
            )  # fmt: skip
        except (OSError, ValueError) as error:  # ValueError: a null character
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise Broken(f"{name} cannot be started: {why}: check its command") from error
        streams = self._process.stdin, self._process.stdout, self._process.stderr
        self._in, self._out, self._err = (cast("IO[bytes]", stream) for stream in streams)
        for stream in (self._in, self._out, self._err):
            os.set_blocking(stream.fileno(), False)

    def ask(self, request: bytes, what: str, seconds: float) -> bytes:
        """The line that it answers to this one, without its end. Raises Broken, in one line; the program is then dead.

        `what` is what the request asks for, in messages.
        """
        if early := self._read(self._out):
            said = repr(shortened(early[:400].decode(errors="replace"), 80))
            self._fail(f"said {said} before it was asked to {what}: its standard output is for answers alone")
        deadline, left, line = time.monotonic() + seconds, memoryview(request + b"\n"), bytearray()
        while True:
            gone = self._process.poll() is not None  # looked at first: what it said before it ended is there to read
            with selectors.DefaultSelector() as ready:
                ready.register(self._out, selectors.EVENT_READ)
                ready.register(self._err, selectors.EVENT_READ)
                if left:
                    ready.register(self._in, selectors.EVENT_WRITE)
                turn = 0.0 if gone else min(_TURN, max(0.0, deadline - time.monotonic()))
                found = [key.fileobj for key, _ in ready.select(turn)]
            if self._in in found:
                left = left[self._written(left, what) :]
            if self._err in found:
                self._hear()
            if gone and self._out not in found:  # a process that it started may hold its output open
                self._fail(f"{self._end()} when it was asked to {what}")
            if self._out in found:
                chunk = self._read(self._out)
                if chunk == b"":
                    self._fail(f"{self._end()} when it was asked to {what}")
                line += chunk or b""
                if b"\n" in (chunk or b""):
                    answer, _, more = bytes(line).partition(b"\n")
                    if more or left:
                        when = "had read all that it was asked" if left else "was asked again"
                        self._fail(f"said more than it should before it {when} ({what})")
                    return answer
                if len(line) > LINE_BYTES:
                    self._fail(f"answered with a line of more than {LINE_BYTES >> 20} MiB when it was asked to {what}")
            if time.monotonic() >= deadline:
                self._fail(f"did not answer within {seconds:g} s when it was asked to {what} (setting timeout)")

    def end(self, seconds: float) -> None:
        """Close its input, so that it ends by itself; after so many seconds, end it with all processes of its group."""
        self._in.close()
        until = time.monotonic() + seconds
        try:
            with selectors.DefaultSelector() as ready:  # what it says is read, so that it does not wait for that
                ready.register(self._out, selectors.EVENT_READ)
                ready.register(self._err, selectors.EVENT_READ)
                while self._process.poll() is None and (left := until - time.monotonic()) > 0:
                    for key, _ in ready.select(min(_TURN, left)):
                        if self._read(cast("IO[bytes]", key.fileobj)) == b"":
                            ready.unregister(key.fileobj)
        finally:  # interrupted, too
            self.kill()

    def kill(self) -> None:
        """End it with all processes of its group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # it is gone
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._in, self._out, self._err):
            stream.close()

    def _written(self, left: memoryview, what: str) -> int:
        try:
            return os.write(self._in.fileno(), left[:_CHUNK])
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            self._fail(f"{self._end()} when it was asked to {what}")

    @staticmethod
    def _read(stream: IO[bytes]) -> bytes | None:
        """What there is to read now: None for nothing yet, b"" at its end."""
        try:
            return os.read(stream.fileno(), _CHUNK)
        except BlockingIOError:
            return None

    def _hear(self) -> bool:
        """Take in what it says of itself; whether there may be more."""
        if heard := self._read(self._err):
            self._said = (self._said + heard)[-_STDERR_BYTES:]
        elif heard == b"":
            time.sleep(0.01)  # its standard error is closed, which a selector reports at every turn
        return bool(heard)

    def _end(self) -> str:
        """How it ended, as far as it did."""
        try:
            status = self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            return "closed its standard input or output"
        return f"ended with status {status}" if status >= 0 else f"was killed by {signal.Signals(-status).name}"

    def _fail(self, why: str) -> NoReturn:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        until = time.monotonic() + _GRACE
        with selectors.DefaultSelector() as ready:  # a process that left the group may still hold it open
            ready.register(self._err, selectors.EVENT_READ)
            while time.monotonic() < until and ready.select(until - time.monotonic()) and self._hear():
                pass
        self.kill()
        raise Broken(f"{self.name} {why}{self._last_words()}")

    def _last_words(self) -> str:
        lines = [line for line in self._said.decode(errors="replace").splitlines() if line.strip()]
        return f"; last it said: {shortened(visible(lines[-1].strip()), 200)}" if lines else ""
