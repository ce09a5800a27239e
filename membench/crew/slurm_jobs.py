"""Workers that are array jobs of SLURM, by submitit: each plays what nobody plays yet, its own part first.

They meet in the folder of the results alone, by its locks, so that nothing is lost when the run that submitted them
ends, and what a killed one has left is taken over by the others.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from membench.crew.worker import settled
from membench.errors import MembenchError
from membench.io.extras import require
from membench.planning.plan import PlannedCell
from membench.planning.plan_file import RUNS
from membench.planning.request import Request
from membench.planning.shards import Shard
from membench.running.progress import Reporter
from membench.running.runner import sessions_of, share_out
from membench.running.session import Session
from membench.store import cell_folder

POLL_SECONDS = 5.0
ROUNDS = 3  # of submitting what is left when all jobs are over


@dataclass(frozen=True)
class Task:
    """What one job of the array does; `number` is from 0. It is kept in a file for the node that runs it."""

    requests: tuple[Request, ...]
    shard: Shard | None
    number: int
    of: int
    folder: str

    def __call__(self) -> None:
        """Play what is missing and free. Raises MembenchError."""
        os.chdir(self.folder)
        reporter = Reporter(Console(stderr=True))
        sessions = sessions_of(self.requests, reporter, shard=self.shard)
        share_out(sessions, reporter)
        for session in sessions:
            session.prepare()
        missing = [(session, cell) for session in sessions for cell in session.turn.missing]
        golds, rest = ([pair for pair in missing if pair[1].is_gold == gold] for gold in (True, False))
        start = len(rest) * self.number // self.of
        order = [*golds, *rest[start:], *rest[:start]]
        for number, (session, cell) in enumerate(order, 1):
            if _is_free(session, cell):
                session.played[cell.recipe_id] = session.play(cell, number, len(order))

    def checkpoint(self) -> Any:
        """How submitit goes on with it on another node, when its time is over or it has to make room."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


def play(
    sessions: Sequence[Session], reporter: Reporter, workers: int, settings: Sequence[str], shard: Shard | None
) -> list[list[dict[str, Any]]]:
    """Submit an array of so many jobs, wait for them, and return the results of each session. Raises MembenchError."""
    require("slurm", "--executor slurm")
    import submitit

    share_out(sessions, reporter)
    _clear(sessions)
    requests = tuple(replace(settled(s.request), overwrite=False) for s in sessions)
    folder = sessions[0].request.output / RUNS / "slurm"
    for _ in range(ROUNDS):
        left = _left(sessions)
        if not left:
            break
        executor = _executor(submitit, folder, settings, workers)
        tasks = [Task(requests, shard, number, workers, os.getcwd()) for number in range(min(workers, len(left)))]
        jobs = executor.map_array(_call, tasks)
        reporter.say(f"{len(jobs)} jobs of the array {jobs[0].job_id.partition('_')[0]}; logs in {folder}")
        _wait(jobs, sessions, reporter)
        if len(_left(sessions)) == len(left):
            raise MembenchError(f"SLURM's jobs ended and played none of {len(left)} cells: see {_log(jobs)}")
    return [session.results() for session in sessions]


def _is_free(session: Session, cell: PlannedCell) -> bool:
    with cell_folder.lock(cell_folder.open_cell(session.request.output, cell.recipe)) as mine:
        return mine


def _call(task: Task) -> None:
    task()


def _executor(submitit: Any, folder: Path, settings: Sequence[str], workers: int) -> Any:
    given: dict[str, Any] = dict(_setting(text) for text in settings)
    cluster = given.pop("cluster", "slurm")
    if cluster == "slurm" and shutil.which("srun") is None:
        raise MembenchError("no SLURM here (srun is not found): call from a node that can submit jobs")
    limits = {"slurm_array_parallelism": workers} if cluster == "slurm" else {}
    try:
        executor = submitit.AutoExecutor(folder=str(folder), cluster=cluster)
        executor.update_parameters(name="membench", **{"timeout_min": 24 * 60, **limits, **given})
    except (NameError, ValueError, TypeError, KeyError) as error:
        raise MembenchError(f"SLURM's jobs cannot be set so: {' '.join(str(error).split())}") from None
    return executor


def _setting(typed: str) -> tuple[str, Any]:
    name, equals, value = typed.partition("=")
    if not name or not equals or not value:
        raise MembenchError(f"executor setting {typed!r}: write KEY=VALUE, e.g. slurm_partition=gpu")
    return name.replace("-", "_"), int(value) if value.isdecimal() else value


def _wait(jobs: Sequence[Any], sessions: Sequence[Session], reporter: Reporter) -> None:
    """Say what is over, until all jobs are; a stopped run leaves them at work."""
    missing = _left(sessions)
    try:
        while True:
            ended = all(job.done() for job in jobs)
            missing = [pair for pair in missing if not _told(*pair, sessions, reporter)]
            if ended:
                return
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        reporter.say("the jobs go on without this: `membench status` tells how far they are, `scancel` stops them")
        raise


def _told(session: Session, cell: PlannedCell, sessions: Sequence[Session], reporter: Reporter) -> bool:
    result = _stored(session, cell)
    if result is not None:
        over = sum(len(s.played) for s in sessions) + 1
        reporter.say(f"[{over}/{session.turn.of}] {cell.title}: {result['status']}")
        session.played[cell.recipe_id] = dict(result)
    return result is not None


def _left(sessions: Sequence[Session]) -> list[tuple[Session, PlannedCell]]:
    """What is neither done nor has failed."""
    return [(s, c) for s in sessions for c in s.turn.missing if c.recipe_id not in s.played and not _stored(s, c)]


def _stored(session: Session, cell: PlannedCell) -> Mapping[str, Any] | None:
    try:
        found = cell_folder.read_result(cell_folder.folder_of(session.request.output, cell.recipe))
    except cell_folder.Damaged:
        return None
    return found


def _clear(sessions: Sequence[Session]) -> None:
    """Make what is to be played anew, failed cells too, as if it had never been: jobs look at the folder alone."""
    for session in sessions:
        for cell in session.turn.missing:
            folder = cell_folder.folder_of(session.request.output, cell.recipe)
            if folder.is_dir():
                with cell_folder.lock(folder) as mine:
                    if mine and session.request.overwrite:
                        cell_folder.clear(folder)
                    elif mine:
                        (folder / cell_folder.RESULT).unlink(missing_ok=True)


def _log(jobs: Sequence[Any]) -> str:
    return str(jobs[0].paths.stderr)
