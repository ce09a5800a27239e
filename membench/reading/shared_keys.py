"""Query heads that share keys and values read these where they lie."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_IN_PLACE = "TRANSFORMERS_SDPA_FORCE_GQA"
_LOCK = threading.Lock()
_passes = 0  # now under way for which the variable was set here


@contextmanager
def in_place(device: torch.device) -> Iterator[None]:
    """A pass in which keys are not copied for each head that shares them, as transformers does where there is a mask.

    On a CPU the copies take longer than attention; CUDA has no fused kernel that does without. What the user has set
    stays, and nothing stays set for models elsewhere.
    """
    global _passes
    with _LOCK:
        ours = device.type == "cpu" and (_passes > 0 or _IN_PLACE not in os.environ)
        if ours:
            _passes += 1
            os.environ[_IN_PLACE] = "1"
    try:
        yield
    finally:
        with _LOCK:
            _passes -= ours
            if ours and not _passes:
                os.environ.pop(_IN_PLACE, None)
