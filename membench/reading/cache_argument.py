"""Under which name a model takes the cache of its keys and values."""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import Any


def kept_in(model: Any, cache: Any) -> dict[str, Any]:
    """The cache as a named argument of the model's forward pass."""
    kind: Any = type(model)
    return {_name(kind): cache}


@lru_cache(maxsize=64)
def _name(kind: Any) -> str:
    """`cache` from transformers 5.24 on, `past_key_values` before and in models with code of their own."""
    return "cache" if "cache" in inspect.signature(kind.forward).parameters else "past_key_values"
