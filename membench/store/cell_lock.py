"""The lock of a cell: one run at a time plays it, on however many hosts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from membench.errors import MembenchError
from membench.io.atomic_files import replace_file
from membench.io.locks import Hold

LOCK = ".lock"
SINCE = f"{LOCK}.since"  # when the cell that is played now was taken up

_held: dict[Path, Hold] = {}  # of this process, by the cell's folder


class LockLost(MembenchError):
    """Another run plays the cell now."""


@contextlib.contextmanager
def lock(folder: Path, wait: bool = False) -> Iterator[bool]:
    """Hold a cell's lock, if it is free or, with `wait`, as soon as it is; yields whether it is held.

    The lock goes with the process, however that ends. Raises CannotWrite.
    """
    hold = Hold(folder / LOCK)
    mine = hold.take(wait)
    if mine:
        _held[folder] = hold
    try:
        yield mine
    finally:
        if mine:
            del _held[folder]
        hold.release()


@contextlib.contextmanager
def taken_up(folder: Path, when: str) -> Iterator[None]:
    """Say in the cell's folder that it is played since then. Its lock must be held. Raises CannotWrite."""
    replace_file(folder / SINCE, when.encode(), durable=False)
    try:
        yield
    finally:
        (folder / SINCE).unlink(missing_ok=True)


def refuse_lost(folder: Path) -> None:
    """Raise LockLost if this process had the cell's lock, stood still, and another one has taken it over."""
    if folder in _held and _held[folder].lost:
        raise LockLost(f"{folder} was taken over by another run, as this one stood still: nothing more is stored of it")
