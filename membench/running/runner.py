"""The runner: it alone plays episodes, holds the clock, the prompt, the decoder, the seeds and the records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from rich.console import Console

from membench.errors import standing_at
from membench.estimates.estimate import Estimator
from membench.planning.plan import PlannedCell
from membench.planning.plan_file import Planned, write_plan
from membench.planning.request import Request
from membench.planning.schedule import Turn, share
from membench.planning.served import device_of
from membench.planning.shards import Shard, part
from membench.running.loaded_model import Models
from membench.running.progress import Reporter
from membench.running.session import Session
from membench.store import cell_folder
from membench.store.recipe import stored_before

Block = tuple[Path, Sequence[PlannedCell], Set[str]]  # a folder, the cells of a request, and the ids of those done


def run(request: Request, console: Console | None = None, debug: bool = False) -> list[dict[str, Any]]:
    """Play the cells that are missing and return the results of all, in the order of play.

    Raises MembenchError for wrong input, before anything is played. A cell that fails is kept with its reason, and the
    others are played.
    """
    reporter = Reporter(console or Console(stderr=True))
    (results,) = play(sessions_of([request], reporter, debug), reporter)
    return results


def sessions_of(
    requests: Sequence[Request],
    reporter: Reporter,
    debug: bool = False,
    shard: Shard | None = None,
    dry: bool = False,
) -> list[Session]:
    """A session for each request, all planned and none played, each with its cells of one part if that is named.

    They share what they load. With `dry` nothing is to be played, and no model is loaded to learn how it is read.
    Raises MembenchError.
    """
    models = Models()
    sessions = [Session(request, reporter, debug, models) for request in requests]
    for session in () if dry else sessions:
        with standing_at(session.request.place):
            session.settle()
    if shard:
        for session, cells in zip(sessions, part([session.cells for session in sessions], shard), strict=True):
            session.keep(cells)
    return sessions


def play(sessions: Sequence[Session], reporter: Reporter) -> list[list[dict[str, Any]]]:
    """Play the sessions one after another; a cell that several of them name is played once. The results of each."""
    share_out(sessions, reporter)
    return [session.run() for session in sessions]


def plan_cells(request: Request) -> tuple[list[PlannedCell], set[str]]:
    """The cells of a request, and the ids of those that are done already (for --dry-run)."""
    (session,) = sessions_of([request], Reporter(Console(stderr=True)), dry=True)
    return session.cells, session.finished()


def share_out(sessions: Sequence[Session], reporter: Reporter) -> None:
    """Give each session its turn, and tell the reporter how long the cells of all will take."""
    blocks = [(session.request.output, session.cells, session.finished()) for session in sessions]
    shares = share(blocks)
    missing = [[cell for cell in own if cell.recipe_id not in b[2]] for own, b in zip(shares, blocks, strict=True)]
    total, count = sum(map(len, shares)), sum(map(len, missing))
    expected: list[float | None] = []
    for session, own, cells in zip(sessions, shares, missing, strict=True):
        session.turn = Turn(len(own) - len(cells), cells, len(expected) + 1, count)
        expected += _seconds(session, cells)
    reporter.expect(expected)
    _write_plans(sessions, blocks, dict(zip((c.recipe_id for own in missing for c in own), expected, strict=True)))
    folders = ", ".join(dict.fromkeys(str(output) for output, *_ in blocks))
    reporter.say(f"{total} cells, {total - count} of them done already, in {folders}")
    for session, cells in zip(sessions, missing, strict=True):
        _tell_of_earlier(session.request.output, cells, reporter)


def _write_plans(sessions: Sequence[Session], blocks: Sequence[Block], seconds: Mapping[str, float | None]) -> None:
    """Keep in each folder what is going to be played there, for `membench status`; nothing where nothing is missing."""
    plans: dict[Path, dict[str, Planned]] = {}
    for output, cells, done in blocks:
        for cell in cells:
            known = cell.recipe_id in done
            steps = None if known else sum(len(e.steps) for e in cell.episodes())
            folder = cell_folder.folder_of(output, cell.recipe).name
            planned = Planned(cell.recipe_id, folder, cell.title, steps, seconds.get(cell.recipe_id))
            plans.setdefault(output, {})[cell.recipe_id] = planned
    for output, cells_there in plans.items():
        if any(cell.steps is not None for cell in cells_there.values()):
            write_plan(output, list(cells_there.values()))


def _tell_of_earlier(output: Path, cells: Sequence[PlannedCell], reporter: Reporter) -> None:
    """Say how cells that an earlier version stored come to be known as done."""
    folders = (stored_before(cell_folder.folder_of(output, cell.recipe), cell.recipe) for cell in cells)
    if count := sum(folder is not None for folder in folders):
        reporter.say(
            f"{count} more were stored by an earlier version: stop, and `membench migrate {output}` keeps them"
        )


def _seconds(session: Session, cells: Sequence[PlannedCell]) -> list[float | None]:
    """How long cells will take, as `--dry-run` estimates it."""
    if not cells:
        return []
    estimator, path = Estimator.of(session.request.output, device_of(session.request)), Path(session.model.path)
    return [estimator.estimate(cell, path).seconds for cell in cells]
