"""What a method's code may change of the process by the way is put back after each call."""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Iterator

import numpy as np
import torch


@contextlib.contextmanager
def as_it_was() -> Iterator[None]:
    """Working folder, states of random numbers and default dtype may change within; afterwards they are as before.

    So that no method's answers depend on which others were played before it in the same process.
    """
    folder, dtype = os.getcwd(), torch.get_default_dtype()
    plain, numbers, tensors = random.getstate(), np.random.get_state(), torch.get_rng_state()
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else None
    try:
        yield
    finally:
        os.chdir(folder)
        torch.set_default_dtype(dtype)
        random.setstate(plain)
        np.random.set_state(numbers)
        torch.set_rng_state(tensors)
        if devices is not None:
            torch.cuda.set_rng_state_all(devices)
