"""Reading many results: what many of them share is parsed once, and no search for garbage is made meanwhile."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import orjson

_YARDSTICKS = b'\n"yardsticks": '


def parse(text: bytes, without: Sequence[str] = ()) -> Any:
    """JSON; its line of yardsticks, the longest one and the same in many cells of a table, is parsed once for all.

    Lines of the keys in `without` are left out, where they stand as a result has them: a line a key.
    """
    for key in without:
        start, end = _line(text, key)
        text = text[:start] + text[end:]
    start, end = _line(text, "yardsticks")
    if start == end:
        return orjson.loads(text)
    line = text[start:end].partition(b": ")[2][:-1]
    result = orjson.loads(text[:start] + text[end:])
    return result | {"yardsticks": _shared_json(line)} if isinstance(result, dict) else result


def _line(text: bytes, key: str) -> tuple[int, int]:
    """Where the line of a key begins and ends, newline before it and comma behind it included; (0, 0) without one."""
    start = text.find(b'\n"%s": ' % key.encode())
    end = text.find(b"\n", start + 1)
    return (start, end) if 0 <= start < end and text.endswith(b"}\n") and text[end - 1 : end] == b"," else (0, 0)


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


@lru_cache(maxsize=256)
def _shared_json(text: bytes) -> Any:
    return orjson.loads(text)
