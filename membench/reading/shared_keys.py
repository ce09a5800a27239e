"""Query heads that share keys and values read these where they lie."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_IN_PLACE = "TRANSFORMERS_SDPA_FORCE_GQA"


@contextmanager
def in_place(device: torch.device) -> Iterator[None]:
    """A pass in which keys are not copied for each head that shares them, as transformers does where there is a mask.

    On a CPU the copies take longer than attention; CUDA has no fused kernel that does without. What the user has set
    stays, and nothing stays set for models elsewhere.
    """
    if device.type != "cpu" or _IN_PLACE in os.environ:
        yield
        return
    os.environ[_IN_PLACE] = "1"
    try:
        yield
    finally:
        os.environ.pop(_IN_PLACE, None)
