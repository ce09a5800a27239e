"""Under which name a model takes the cache of its keys and values."""

from __future__ import annotations

import inspect
from typing import Any

NAMES = ("cache", "past_key_values")  # from transformers 5.24 on; before, and in models with code of their own


def kept_in(model: Any, cache: Any) -> dict[str, Any]:
    """The cache as a named argument of the model's forward pass, be it compiled, or replaced on the instance.

    Where that takes arguments of any name, those of the class count.
    """
    own = getattr(model, "_orig_mod", model)  # of what torch.compile has wrapped
    for forward in (own.forward, type(own).forward):
        known = inspect.signature(forward).parameters
        for name in NAMES:
            if name in known:
                return {name: cache}
    return {NAMES[-1]: cache}
