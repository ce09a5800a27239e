"""What a run says on standard error while it works: bars on a terminal, two lines a cell in a pipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

from membench.estimates.forecast import Forecast, spell, until
from membench.text.visible import visible

WIDE = 100  # columns of a terminal that has room for bars


class Reporter:
    """Tells which cell is played and which step of it, what is done and left, and when it will be over."""

    def __init__(self, console: Console, every_step: bool = False):
        self.console = console
        self.every_step = every_step
        self.forecast = Forecast([None])

    def say(self, text: str) -> None:
        """One line, however long."""
        self.console.print(Text(visible(text)), soft_wrap=True)

    def expect(self, seconds: Sequence[float | None]) -> None:
        """How long each cell will take that is played from now on, in the order of play; None where nobody knows."""
        self.forecast = Forecast(seconds)

    @contextmanager
    def cell(self, title: str, number: int, count: int, steps: int) -> Iterator[Stepper]:
        """Report one cell from start to end; number `number`, from 1, of the `count` that are played in all."""
        bar = _bars(self.console)
        head = f"[{number}/{count}] {title}"
        self.forecast.start(number - 1)
        if not self.console.is_interactive:
            self.say(f"{head}: {steps} steps{self._left()}")
        if count > 1:
            bar.add_task("all cells", total=count, completed=number - 1, told=self._all_told)
        try:
            with bar:
                yield Stepper(bar, head, steps, self.forecast, self.say if self.every_step else None)
        except BaseException:
            self.forecast.end(failed=True)
            raise
        seconds = self.forecast.end()
        self.say(f"{head}: {spell(seconds)}{self._left() if number < count else ''}")

    def _all_told(self) -> str:
        left = self.forecast.left()
        gone = f"{spell(self.forecast.gone())} gone"
        return gone if left is None else f"{gone}, about {spell(left)} left, until {until(left)}"

    def _left(self) -> str:
        left = self.forecast.left()
        return "" if left is None else f"; about {spell(left)} left in all, until {until(left)}"


def _bars(console: Console) -> Progress:
    """A line a task, whatever the width: what is done is cut first, and where there is little room, there is no bar."""
    line: list[ProgressColumn] = [
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)),
        *([BarColumn(20)] if console.width >= WIDE else []),
        MofNCompleteColumn(table_column=Column(no_wrap=True)),
        _Told(table_column=Column(no_wrap=True, overflow="ellipsis")),
    ]
    return Progress(*line, console=console, transient=True, disable=not console.is_interactive, expand=True)


class _Told(ProgressColumn):
    """What a task has to say at the moment of drawing, so that the time left counts down within a long step."""

    def render(self, task: Task) -> Text:
        return Text(task.fields["told"]())


class Stepper:
    """The bar of one cell; `say`, where there is one, gets a line for each step."""

    def __init__(
        self, bar: Progress, head: str, steps: int, forecast: Forecast, say: Callable[[str], None] | None = None
    ):
        self.bar = bar
        self.say = say
        self.head = head
        self.steps = steps
        self.forecast = forecast
        self.task = bar.add_task(visible(head), total=steps, told=self._told)

    def __call__(self, done: int, doing: str) -> None:
        """Step number `done` starts."""
        self.forecast.reach(done / self.steps if self.steps else 0.0)
        if self.say:
            self.say(f"{self.head}: step {done + 1} of {self.steps}, {doing}")
        self.bar.update(self.task, completed=done, description=visible(f"{self.head} — {doing}"))

    def _told(self) -> Any:
        left = self.forecast.left_of_cell()
        return spell(self.forecast.spent()) + ("" if left is None else f", about {spell(left)} left")
