"""One JSON request over HTTP with limits on what comes back and on how long it takes, whatever the other side does."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from membench.errors import MembenchError

if TYPE_CHECKING:
    import ssl

    import httpx2

BACKOFF = 0.5  # seconds before the second try, twice as many before each later one
PASSING = (408, 409, 425, 429, 500, 502, 503, 504, 529)  # statuses that may be another one in a moment


@dataclass(frozen=True)
class Limits:
    """`size`: bytes of a reply, unpacked; `seconds`: of a whole call, waits included; `tries`: of what may pass."""

    size: int = 16 * 2**20
    seconds: float = 120.0
    tries: int = 4


@dataclass(frozen=True)
class Answer:
    """What came: the status, the unpacked body, and the seconds that the other side asks to wait, if it does."""

    status: int
    body: bytes
    wait: float | None = None


class NoAnswer(MembenchError):
    """No whole answer came; `passing` if another try may bring one; with the status of an answer that is an error."""

    def __init__(self, reason: str, passing: bool = False, status: int | None = None):
        super().__init__(reason)
        self.passing = passing
        self.status = status


class Call:
    """A call of one or more requests, all of them within its limits. A context manager; each request has a connection
    of its own, and none outlives the call.
    """

    def __init__(self, limits: Limits):
        self.limits = limits
        self.ends = time.monotonic() + limits.seconds

    def __enter__(self) -> Call:
        import httpx2

        try:
            certificates = _certificates(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
        except OSError as error:
            raise NoAnswer(f"the certificates of SSL_CERT_FILE or SSL_CERT_DIR cannot be read: {error}") from error
        try:
            self._http = httpx2.Client(
                verify=certificates,
                timeout=self.limits.seconds,
                follow_redirects=True,
                limits=httpx2.Limits(max_keepalive_connections=0),
            )
        except (ImportError, ValueError) as error:  # a proxy of the environment that is none, or of another kind
            raise NoAnswer(f"the proxy of HTTP_PROXY, HTTPS_PROXY or ALL_PROXY cannot be used: {error}") from error
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def post(self, url: str, payload: Mapping[str, Any], headers: Mapping[str, str]) -> Answer:
        """The answer to one request with JSON, whatever its status. Raises NoAnswer."""
        return self._send("POST", url, json.dumps(payload).encode(), headers)

    def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """The answer to one request without a body, whatever its status. Raises NoAnswer."""
        return self._send("GET", url, None, headers)

    def _send(self, method: str, url: str, data: bytes | None, headers: Mapping[str, str]) -> Answer:
        """The answer to one request.

        The request runs in a thread of its own: there is no other way to end one whose every byte is in time, as the
        limits of HTTP clients are on single reads, or one that waits for a name server.
        """
        box: queue.SimpleQueue[Answer | Exception] = queue.SimpleQueue()

        def ask() -> None:
            try:
                box.put(self._exchange(method, url, data, headers))
            except Exception as error:  # handed to the thread that waits
                box.put(error)

        threading.Thread(target=ask, daemon=True).start()
        try:
            came = box.get(timeout=max(0.0, self.ends - time.monotonic()))
        except queue.Empty:
            raise self._late() from None
        if isinstance(came, Answer):
            return came
        raise self._failure(came) from came

    def pause(self, tries: int, wanted: float | None) -> None:
        """Wait before the next try, as long as the other side asks. Raises NoAnswer if the call ends before that."""
        seconds = BACKOFF * 2 ** (tries - 1) if wanted is None else wanted
        if seconds > self.ends - time.monotonic():
            raise NoAnswer(f"asks to wait {seconds:.0f} s, and a call ends after {self.limits.seconds:g} s")
        time.sleep(seconds)

    def _exchange(self, method: str, url: str, data: bytes | None, headers: Mapping[str, str]) -> Answer:
        body = bytearray()
        all_headers = {"Content-Type": "application/json", "Accept": "application/json", **headers}
        with self._http.stream(method, url, content=data, headers=all_headers) as response:
            for piece in response.iter_bytes():
                body += piece
                if len(body) > self.limits.size:
                    raise NoAnswer(f"sent more than {self.limits.size:,} bytes")
                if time.monotonic() > self.ends:
                    raise self._late()
            return Answer(response.status_code, bytes(body), _wait(response.headers))

    def _late(self) -> NoAnswer:
        return NoAnswer(f"did not answer within {self.limits.seconds:g} s")

    def _failure(self, error: Exception) -> NoAnswer:
        import httpx2

        if isinstance(error, NoAnswer):
            return error
        said = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, httpx2.TimeoutException):
            return self._late()
        if isinstance(error, httpx2.UnsupportedProtocol | httpx2.InvalidURL | httpx2.LocalProtocolError):
            return NoAnswer(f"cannot be asked: {said}")
        if isinstance(error, httpx2.ConnectError | httpx2.ProxyError):
            return NoAnswer(f"Connection error: {said}", passing=True)
        if isinstance(error, httpx2.TransportError):
            return NoAnswer(f"broke off: {said}", passing=True)
        if isinstance(error, httpx2.HTTPError | OSError | ValueError):
            return NoAnswer(f"sent what cannot be read: {said}")
        raise error


@cache
def _certificates(file: str | None, folder: str | None) -> ssl.SSLContext:
    """The certificates that are trusted, read once: 36 ms of a core, more than all else of a request."""
    import httpx2

    return httpx2.create_ssl_context()


def _wait(headers: httpx2.Headers) -> float | None:
    """Seconds of `Retry-After`, a number or a date, or of `Retry-After-Ms`; None if there is none that can be read."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        with contextlib.suppress(KeyError, ValueError):
            seconds = float(headers[name]) * scale
            return max(0.0, seconds) if seconds == seconds else None  # not NaN
    with contextlib.suppress(KeyError, ValueError, OverflowError):
        return max(0.0, parsedate_to_datetime(headers["retry-after"]).timestamp() - time.time())
    return None
