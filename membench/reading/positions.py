"""How long an input a model's positions allow, as its configuration says it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_LIMITS = ("max_position_embeddings", "max_seq_len", "context_length")  # how configurations call the longest input
_WINDOWS = (
    "sliding_window", "window_size", "attention_chunk_size", "local_attention", "sliding_window_size",
)  # fmt: skip
_ORIGINAL = "original_max_position_embeddings"
_BY_LENGTH = ("longrope", "dynamic")  # rotations that change for all tokens once an input is longer than a threshold


def windows(config: Any) -> dict[str, int]:
    """The lengths in a text model's configuration beyond which attention changes, by their names there."""
    return {name: w for name in _WINDOWS if isinstance(w := getattr(config, name, None), int) and w > 0}


@contextmanager
def made_small(config: Any, longest: int, small: int) -> Iterator[bool]:
    """A model whose windows and thresholds of more than `longest` - 8 tokens are `small`; yields whether there are any.

    Attention asks the configuration at every pass, so that the same modules then do at `small` tokens what they do at
    a window's real length. What a module has built in when it was made stays as it was.
    """
    text = config.get_text_config()
    own = {name: w for name, w in windows(text).items() if w > longest - 8}
    ropes = [rope for rope in _ropes(text) if rope.get("rope_type", rope.get("type")) not in _BY_LENGTH]
    far = [(rope, rope[_ORIGINAL]) for rope in ropes if (rope.get(_ORIGINAL) or 0) > longest - 8]
    try:
        for name in own:
            setattr(text, name, small)
        for rope, _ in far:
            rope[_ORIGINAL] = small
        yield bool(own or far)
    finally:
        for name, window in own.items():
            setattr(text, name, window)
        for rope, threshold in far:
            rope[_ORIGINAL] = threshold


def window_of(config: Any) -> int:
    """The longest input in tokens that is read rightly; sys.maxsize where nothing limits it.

    Where rotations go by the length of the whole input, what was read of a beginning no longer holds behind their
    threshold, so that the window ends there.
    """
    text = config.get_text_config()
    limit = next((int(found) for name in _LIMITS if (found := getattr(text, name, None))), sys.maxsize)
    return min([limit, *_thresholds(text, limit)])


def _thresholds(config: Any, limit: int) -> Iterator[int]:
    for rope in _ropes(config):
        if rope.get("rope_type", rope.get("type")) in _BY_LENGTH:
            yield int(rope.get(_ORIGINAL) or getattr(config, _ORIGINAL, None) or limit)


def _ropes(config: Any) -> list[dict[str, Any]]:
    """What a configuration says of rotations, once or for each kind of layer."""
    stated = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    return [stated, *(part for part in stated.values() if isinstance(part, dict))]
