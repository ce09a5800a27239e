"""When a run will be over: from what each cell was expected to take, mended by what the cells took so far."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta


class Forecast:
    """The cells of a run in the order of play, with the seconds that each is expected to take (None: nobody knows).

    Expectations come from another machine or data, so those of later cells are scaled by how the earlier ones came out,
    and a cell's own by the steps that it has done.
    """

    def __init__(self, expected: Sequence[float | None], clock: Callable[[], float] = time.monotonic):
        self.expected = list(expected)
        self._over = 0, 0.0  # cells that are over, and what they took
        self._rated = 0.0, 0.0  # seconds taken and expected of those of which both are known
        self.clock = clock
        self.begun = self.started = clock()
        self.at = -1  # number of the cell that started last
        self.cell: int | None = None  # the same while it is played
        self.first: float | None = None  # the share of steps that was done when the cell was taken up
        self.share = 0.0

    def start(self, cell: int) -> None:
        """Cell number `cell`, from 0, starts."""
        self.at = self.cell = cell
        self.started, self.first, self.share = self.clock(), None, 0.0

    def reach(self, share: float) -> None:
        """This share of the cell's steps is done."""
        self.first = share if self.first is None else self.first
        self.share = share

    def end(self, failed: bool = False) -> float:
        """The cell is over; returns its seconds, which are no measure of others if it failed."""
        assert self.cell is not None
        seconds = self.spent()
        if not failed:
            self.took(self.cell, seconds)
        self.cell = None
        return seconds

    def took(self, cell: int, seconds: float) -> None:
        """Cell number `cell` is over and took so long."""
        self._over = self._over[0] + 1, self._over[1] + seconds
        if expected := self.expected[cell] if cell < len(self.expected) else None:
            self._rated = self._rated[0] + seconds, self._rated[1] + expected

    def spent(self) -> float:
        """Seconds in the cell that is played."""
        return self.clock() - self.started

    def gone(self) -> float:
        """Seconds since the start."""
        return self.clock() - self.begun

    def left_of_cell(self) -> float | None:
        """Seconds that the cell needs still: the more steps it has done, the more its own pace counts."""
        if self.cell is None:
            return 0.0
        done = self.share - (self.first or 0.0)
        rest = 1.0 - (self.first or 0.0)
        expected = self.of(self.cell)
        pace = self.spent() / done * rest if done > 0 else None  # seconds of all that was left when it was taken up
        if expected is None or pace is None:
            whole = pace if expected is None else expected * rest
        else:
            weight = done / rest
            whole = (1 - weight) * expected * rest + weight * pace
        return None if whole is None else max(0.0, whole - self.spent())

    def left(self) -> float | None:
        """Seconds that all cells need still; None where one of them cannot be told."""
        rest = [self.left_of_cell(), *(self.of(k) for k in range(self.at + 1, len(self.expected)))]
        known = [seconds for seconds in rest if seconds is not None]
        return sum(known) if len(known) == len(rest) else None

    def of(self, cell: int) -> float | None:
        """Seconds of a cell, by the scale of the cells before; of one nobody knows, their mean."""
        own = self.expected[cell] if cell < len(self.expected) else None
        if own is not None:
            taken, expected = self._rated
            return own * (taken / expected if expected else 1.0)
        count, taken = self._over
        return taken / count if count else None


def spell(seconds: float) -> str:
    """A length of time for the eye: 12 s, 3 min, 2 h 05 min."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"


def until(seconds: float) -> str:
    """The time of day that is so far off, with the date unless it is today."""
    now = datetime.now()
    then = now + timedelta(seconds=seconds)
    return f"{then:%H:%M}" if then.date() == now.date() else f"{then:%Y-%m-%d %H:%M}"
