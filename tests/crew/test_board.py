"""What a run on many workers says: one line at every width."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from membench.crew.board import Board
from membench.running.progress import Reporter


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140])
def test_one_line_for_all_workers(width: int) -> None:
    reporter = Reporter(Console(file=io.StringIO(), width=width, force_terminal=True))
    reporter.expect([1000.0] * 12)
    with Board(reporter, 12, 3) as board:
        board.start(1, "selfparam · sequential · worlds · smollm2-135m · seed 0", "worker 1")
        shown = Console(file=(out := io.StringIO()), width=width)
        shown.print(board._bar.get_renderable())
    (line,) = out.getvalue().splitlines()
    assert len(line) <= width
    assert line.startswith("all cells: 1 played now")
    assert " 0/12" in line
