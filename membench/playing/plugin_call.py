"""What a method's code may change of the process by the way is put back after each call."""

from __future__ import annotations

import contextlib
import os
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

# How each is asked for, and how it is set: these every time, those below where they have changed.
_STATES: tuple[tuple[Callable[[], Any], Callable[[Any], object]], ...] = (
    (os.getcwd, os.chdir),
    (random.getstate, random.setstate),
    (np.random.get_state, np.random.set_state),
    (torch.get_rng_state, torch.set_rng_state),
)
_MODES: tuple[tuple[Callable[[], Any], Callable[[Any], object]], ...] = (
    (lambda: dict(os.environ), lambda before: _set_environment(before)),
    (torch.get_default_dtype, torch.set_default_dtype),
    (torch.get_default_device, lambda device: torch.set_default_device(None if device.type == "cpu" else device)),
    (torch.is_grad_enabled, torch.set_grad_enabled),
    (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    (torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode),
    (torch.get_num_threads, torch.set_num_threads),
    (sys.getrecursionlimit, sys.setrecursionlimit),
    (lambda: list(warnings.filters), lambda before: _set_warnings(before)),
)


@contextlib.contextmanager
def as_it_was() -> Iterator[None]:
    """What code may change of the process within is afterwards as before: working folder, environment, states of random
    numbers, and how torch reckons (dtype, device, gradients, precision, threads).

    So that no method's answers depend on which others were played before it in the same process.
    """
    states = [(put, ask()) for ask, put in _STATES]
    modes = [(put, ask, ask()) for ask, put in _MODES]
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else None
    try:
        yield
    finally:
        for put, state in states:
            put(state)
        for put, ask, mode in modes:
            if ask() != mode:
                put(mode)
        if devices is not None:
            torch.cuda.set_rng_state_all(devices)


def _set_warnings(before: list[Any]) -> None:
    warnings.resetwarnings()
    warnings.filters.extend(before)  # type: ignore[attr-defined]


def _set_environment(before: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(before)
