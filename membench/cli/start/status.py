"""The command that tells from another terminal how far a run is."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from membench.cli.shared.manners import common
from membench.cli.shared.options import PathType
from membench.cli.shared.panels import command
from membench.cli.shared.printing import print_json, print_line, print_table

if TYPE_CHECKING:
    from membench.analysis.status import Playing, Status

REFRESH = 2.0  # seconds between two looks
FAILED_SHOWN, PLAYING_SHOWN = 10, 20


@command()
@click.argument("folder", type=PathType(), default=Path("results"), envvar="MEMBENCH_OUTPUT_DIR")
@click.option("--watch", is_flag=True, help="Look again every other second, until nothing is left to play.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@common
def status(folder: Path, watch: bool, as_json: bool) -> None:
    """Show how far the runs in FOLDER are, and the time left.

    Cells done, failed, waiting, and played now and where.
    """
    from membench.analysis.status import status_of

    before = None
    while True:
        found = status_of(folder)
        said = _plain(found)
        if as_json and said != before:
            print_json(said)
        elif said != before:
            if before is not None:
                click.echo("\033[2J\033[H", nl=False, color=True) if sys.stdout.isatty() else click.echo()
            _show(found)
        before = said
        if not watch or not (found.playing or found.waiting):
            return
        time.sleep(REFRESH)


def _show(found: Status) -> None:
    """One line on all, then a table of what is played now and one of what failed."""
    print_line(_head(found))
    if found.waiting and not found.playing:
        print_line("nothing is played now: the same `membench run` goes on from here")
    if found.playing:
        playing = found.playing[:PLAYING_SHOWN]
        where = [f"{play.owner.host} ({play.owner.pid})" for play in playing]
        rows = [[p.cell.title, _steps(p), on, _since(p)] for p, on in zip(playing, where, strict=True)]
        print_table(["playing", "step", "on", "since"], rows)
    if found.failed:
        reasons = [" ".join(str(cell.result.get("reason")).split()) for cell in found.failed]
        failed = [[cell.folder.name, reason] for cell, reason in zip(found.failed, reasons, strict=True)]
        print_table(["failed", "reason"], failed[:FAILED_SHOWN])
    if len(found.failed) > FAILED_SHOWN:
        print_line(f"and {len(found.failed) - FAILED_SHOWN} more failed: --json lists all")


def _head(found: Status) -> str:
    from membench.estimates.forecast import spell, until

    counts = (found.done, "done"), (len(found.failed), "failed"), (len(found.playing), "playing")
    states = [
        f"{count} {name}" for count, name in (*counts, (len(found.waiting), "waiting")) if count or name == "done"
    ]
    head = f"{found.planned} cells: {', '.join(states)}"
    if found.left is not None and (found.playing or found.waiting):
        when = f", until {until(found.left)}" if found.playing else " once played"
        head += f"; about {spell(found.left)} left{when}"
    return head


def _steps(play: Playing) -> str:
    return f"{play.steps + 1} of {play.cell.steps}" if play.cell.steps else str(play.steps + 1)


def _since(play: Playing) -> str:
    from membench.analysis.status import time_of

    since = time_of(play.since)
    return f"{since.astimezone():%H:%M:%S}" if since else ""


def _plain(found: Status) -> dict[str, Any]:
    return {
        "planned": found.planned,
        "done": found.done,
        "failed": [{"id": c.id, "cell": c.folder.name, "reason": c.result.get("reason")} for c in found.failed],
        "playing": [
            {
                "id": p.cell.id, "cell": p.cell.folder, "host": p.owner.host, "pid": p.owner.pid, "since": p.since,
                "steps_done": p.steps, "steps": p.cell.steps,
            }
            for p in found.playing
        ],
        "waiting": [{"id": c.id, "cell": c.folder} for c in found.waiting],
        "seconds_left": None if found.left is None else round(found.left, 1),
    }  # fmt: skip
