"""How long an input a model's positions allow, as its configuration says it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

_LIMITS = ("max_position_embeddings", "max_seq_len", "context_length")  # how configurations call the longest input
_BY_LENGTH = ("longrope", "dynamic")  # rotations that change for all tokens once an input is longer than a threshold


def window_of(config: Any) -> int:
    """The longest input in tokens that is read rightly; sys.maxsize where nothing limits it.

    Where rotations go by the length of the whole input, what was read of a beginning no longer holds behind their
    threshold, so that the window ends there.
    """
    text = config.get_text_config()
    limit = next((int(found) for name in _LIMITS if (found := getattr(text, name, None))), sys.maxsize)
    return min([limit, *_thresholds(text, limit)])


def _thresholds(config: Any, limit: int) -> Iterator[int]:
    stated = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    for rope in (stated, *(part for part in stated.values() if isinstance(part, Mapping))):
        if rope.get("rope_type", rope.get("type")) in _BY_LENGTH:
            own = rope.get("original_max_position_embeddings")
            yield int(own or getattr(config, "original_max_position_embeddings", None) or limit)
