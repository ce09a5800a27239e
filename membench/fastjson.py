"""Reading many results: what is the same in many of them is parsed once."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

_YARDSTICKS = b'\n"yardsticks": '


def parse(text: bytes) -> Any:
    """JSON; its line of yardsticks, the longest one and the same in many cells of a table, is parsed once for all."""
    start = text.find(_YARDSTICKS)
    end = text.find(b"\n", start + 1)
    if start < 0 or not text.endswith(b"}\n") or text[end - 1 : end] != b",":
        return json.loads(text)
    line = text[start + len(_YARDSTICKS) : end - 1]
    result = json.loads(text[:start] + _YARDSTICKS + b"null" + text[end - 1 :])
    return result | {"yardsticks": _shared_json(line)} if isinstance(result, dict) else result


@lru_cache(maxsize=256)
def _shared_json(text: bytes) -> Any:
    return json.loads(text)
