"""Reading many results: the part that many of them share can be parsed once, and nobody looks for garbage meanwhile."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

_YARDSTICKS = b'\n"yardsticks": '


def apart(text: bytes) -> tuple[bytes, bytes | None]:
    """A result without its line of yardsticks, the longest one and the same in many cells of a table; and their JSON.

    They stay where they are, and None comes in their place, where they are no line of their own.
    """
    start = text.find(_YARDSTICKS)
    end = text.find(b"\n", start + 1)
    if 0 <= start < end and text.endswith(b"}\n") and text[end - 1 : end] == b",":
        return text[:start] + text[end:], text[start + len(_YARDSTICKS) : end - 1]
    return text, None


@contextlib.contextmanager
def no_collecting() -> Iterator[None]:
    """Without the garbage collector, which would walk over all that was parsed so far again and again."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
