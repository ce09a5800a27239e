"""What a run says on standard error while it works: a bar on a terminal, a line a cell in a pipe."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Reporter:
    """Tells which cell is played, which step of it, and how long is left."""

    def __init__(self, console: Console):
        self.console = console

    def say(self, text: str) -> None:
        """One line."""
        self.console.print(escape(text), highlight=False)

    @contextmanager
    def cell(self, title: str, number: int, count: int, steps: int) -> Iterator[Stepper]:
        """Report one cell from start to end."""
        started = time.perf_counter()
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        head = f"[{number}/{count}] {title}"
        if not self.console.is_terminal:
            self.say(f"{head}: {steps} steps")
        with bar:
            yield Stepper(bar, escape(head), steps)
        self.say(f"{head}: {time.perf_counter() - started:.0f} s")


class Stepper:
    """The bar of one cell."""

    def __init__(self, bar: Progress, head: str, steps: int):
        self.bar = bar
        self.head = head
        self.task = bar.add_task(head, total=steps)

    def __call__(self, done: int, doing: str) -> None:
        """Step number `done` starts."""
        self.bar.update(self.task, completed=done, description=f"{self.head} — {escape(doing)}")
