"""What a run on many workers says: a bar with the cells that are played now, or two lines a cell in a pipe."""

from __future__ import annotations

import time
from types import TracebackType

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Column

from membench.estimates.forecast import spell, until
from membench.running.progress import WIDE, Reporter


class Board:
    """The cells of a run, of which several are played at once; numbers are from 1."""

    def __init__(self, reporter: Reporter, count: int, workers: int):
        self.count = count
        self._reporter, self._workers = reporter, workers
        self._started: dict[int, float] = {}
        self._over = 0
        self._waiting = set(range(1, count + 1))
        console = reporter.console
        self._terminal = console.is_interactive
        line = Column(no_wrap=True, overflow="ellipsis", ratio=1)  # one line at every width
        self._bar = Progress(
            TextColumn("{task.description}", table_column=line), *([BarColumn(20)] if console.width >= WIDE else []),
            MofNCompleteColumn(table_column=Column(no_wrap=True)),
            console=console, transient=True, disable=not self._terminal, expand=True,
        )  # fmt: skip
        self._all = self._bar.add_task("all cells", total=count)

    def __enter__(self) -> Board:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def start(self, number: int, title: str, where: str) -> None:
        """A cell starts."""
        self._started[number] = time.monotonic()
        self._waiting.discard(number)
        left = self._left()
        if not self._terminal:
            self._reporter.say(f"[{number}/{self.count}] {title}: {where}{left}")
        self._draw(left)

    def end(self, number: int, title: str, seconds: float, failed: bool) -> None:
        """It is over."""
        self._started.pop(number, None)
        self._over += 1
        if not failed:
            self._reporter.forecast.took(number - 1, seconds)
        left = self._left() if self._over < self.count else ""
        if not failed:
            self._reporter.say(f"[{number}/{self.count}] {title}: {spell(seconds)}{left}")
        self._draw(left)

    def lost(self, number: int, title: str, why: str) -> None:
        """Its worker is gone."""
        self._started.pop(number, None)
        self._waiting.add(number)
        self._reporter.say(f"[{number}/{self.count}] {title}: {why}")

    def _draw(self, left: str) -> None:
        playing = f"{len(self._started)} played now" if self._started else ""
        said = escape(f"all cells: {playing}{left}")
        self._bar.update(self._all, completed=self._over, description=said)

    def _left(self) -> str:
        """The seconds of the cells that are not over, shared by the workers."""
        of, now = self._reporter.forecast.of, time.monotonic()
        rest = [of(number - 1) for number in self._waiting]
        known = [seconds for seconds in rest if seconds is not None]
        running = [(of(number - 1), now - since) for number, since in self._started.items()]
        known += [max(0.0, whole - gone) for whole, gone in running if whole is not None]
        if len(known) < len(rest) + len(running):
            return ""
        left = sum(known) / max(1, min(self._workers, len(known)))
        return f"; about {spell(left)} left in all, until {until(left)}"
