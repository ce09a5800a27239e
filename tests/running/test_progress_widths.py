"""Progress is a line a task at every width, and nothing in names and texts steers the terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from membench.running.progress import Reporter

TITLE = "selfparam (rank=16) · sequential · jsonl:a-long-name-of-a-file.jsonl · smollm2-135m · seed 0"


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140])
def test_one_line_a_task(width: int) -> None:
    reporter = Reporter(Console(file=io.StringIO(), width=width, force_terminal=True))
    reporter.expect([100.0, 200.0, None])
    with reporter.cell(TITLE, 2, 3, 57) as stepper:
        stepper(3, "writes 4 texts, the first of which is called so long that no terminal has room for it")
        shown = Console(file=io.StringIO(), width=width)
        shown.print(stepper.bar.get_renderable())
    lines = shown.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 2
    assert all(len(line) <= width for line in lines)
    assert "3/57" in lines[1]
    assert "left" in lines[1]
    assert lines[1].startswith("[2/3] self")


def test_no_markup_no_emoji_no_escape_codes() -> None:
    console = Console(file=io.StringIO(), width=140, force_terminal=True, color_system=None)
    reporter = Reporter(console)
    with reporter.cell("m · [red]x[/red] · :ok: · \x1b[31mz", 1, 1, 1) as stepper:
        stepper(0, "[bold]:100:\x1b]0;title\x07")
        shown = Console(file=io.StringIO(), width=140)
        shown.print(stepper.bar.get_renderable())
    reporter.say(":ok: [red] \x1b[2J")
    bars = shown.file.getvalue()  # type: ignore[attr-defined]
    assert "[red]x[/red] · :ok: ·  [31mz — [bold]:100: ]0;title" in bars
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert ":ok: [red]  [2J" in said
    assert not any(code in said for code in ("\x1b[31m", "\x1b[2J\n", "\x1b]0;title"))
