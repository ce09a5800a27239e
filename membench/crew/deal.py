"""Dealing the cells of a run out to workers, so that a worker which dies costs no more than the cell in its hand."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from membench.crew.board import Board
from membench.crew.given_up import give_up
from membench.crew.worker import plain
from membench.errors import MembenchError
from membench.planning.plan import PlannedCell
from membench.running.progress import Reporter
from membench.running.runner import share_out
from membench.running.session import Session
from membench.store.recipe import REFERENCE

TRIES = 3  # of a cell whose worker dies each time


class Hand(Protocol):
    """A worker, as the run knows it: one message at a time."""

    @property
    def name(self) -> str:
        """Where it is."""

    def send(self, message: Mapping[str, Any]) -> None:
        """Give it something to do."""


class Crew(Protocol):
    """Where workers come from."""

    size: int

    def hire(self) -> Hand:
        """One more worker; it may not be ready yet. Raises MembenchError."""

    def next(self) -> tuple[Hand, dict[str, Any] | str]:
        """Wait for a worker that has been sent something: its answer, or why it is gone."""

    def dismiss(self) -> None:
        """Stop all workers, whatever they do."""


@dataclass
class Job:
    """A cell to play."""

    session: int
    cell: PlannedCell
    number: int
    tries: int = 0


@dataclass
class Deal:
    """One run: what is to be played, what each worker does, and what came of it."""

    sessions: Sequence[Session]
    reporter: Reporter
    crew: Crew
    debug: bool = False
    _waiting: list[Job] = field(default_factory=list)
    _golds: list[Job] = field(default_factory=list)  # references that are not over
    _playing: dict[int, Job] = field(default_factory=dict)  # by the worker's id()
    _begun: set[int] = field(default_factory=set)  # workers that are ready
    _hands: dict[int, Hand] = field(default_factory=dict)
    _started: dict[int, float] = field(default_factory=dict)
    _checked: bool = False
    _stillborn: int = 0  # workers that ended before they were ready
    _checker: int = 0  # the worker that looks at all cells before any is played

    def play(self) -> list[list[dict[str, Any]]]:
        """Play all that is missing; the results of each session. Raises MembenchError."""
        share_out(self.sessions, self.reporter)
        for session in self.sessions:
            session.unload()
        self._waiting = [
            Job(k, cell, number)
            for k, session in enumerate(self.sessions)
            for number, cell in enumerate(session.turn.missing, session.turn.first)
        ]
        self._golds = [job for job in self._waiting if job.cell.is_gold and job.cell.method_name == REFERENCE]
        self._board = Board(self.reporter, len(self._waiting), self.crew.size)
        try:
            with self._board:
                self._deal()
        finally:
            self.crew.dismiss()
        return [session.results() for session in self.sessions]

    def _deal(self) -> None:
        for k in range(min(self.crew.size, len(self._waiting))):
            self._hire(check=k == 0)
        while self._waiting or self._playing:
            hand, answer = self.crew.next()
            if isinstance(answer, str):
                self._lost(hand, answer)
            else:
                self._answered(hand, answer)
            for idle in [h for i, h in self._hands.items() if i in self._begun and i not in self._playing]:
                self._give(idle)

    def _hire(self, check: bool = False) -> None:
        """One more worker; the one that checks all cells is waited for before any is played."""
        hand = self.crew.hire()
        self._hands[id(hand)] = hand
        missing = [[cell.recipe_id for cell in session.turn.missing] for session in self.sessions]
        first = next(k for k, ids in enumerate(missing) if ids)
        requests = [plain(session.request) for session in self.sessions]
        begin = {"do": "begin", "requests": requests, "debug": self.debug, "first": first, "cwd": os.getcwd()}
        self._checker = id(hand) if check else self._checker
        hand.send({**begin, "check": missing if check else None})

    def _answered(self, hand: Hand, answer: Mapping[str, Any]) -> None:
        for line in answer["said"]:
            self.reporter.say(line)
        if "wrong" in answer:
            raise MembenchError(answer["wrong"])
        if "result" not in answer:
            self._begun.add(id(hand))
            self._checked |= id(hand) == self._checker
            return
        job = self._playing.pop(id(hand))
        self._over(job, answer["result"], time.monotonic() - self._started[id(hand)])

    def _over(self, job: Job, result: dict[str, Any], seconds: float) -> None:
        self.sessions[job.session].played[job.cell.recipe_id] = result
        self._golds = [gold for gold in self._golds if gold is not job]
        self._board.end(job.number, job.cell.title, seconds, result["status"] == "failed")

    def _lost(self, hand: Hand, why: str) -> None:
        """A worker is gone: its cell goes to the end of the queue, and a new one is hired in its place."""
        job = self._playing.pop(id(hand), None)
        del self._hands[id(hand)]
        if id(hand) not in self._begun:
            self._stillborn += 1
            if self._stillborn == TRIES:
                raise MembenchError(f"workers ended before they could play ({why}): try fewer of them, or none")
            self._hire(check=id(hand) == self._checker)
            return
        self._begun.discard(id(hand))
        if job:
            self._again(job, f"its worker, {hand.name}, is gone ({why})")
        if len(self._hands) < len(self._waiting):
            self._hire()

    def _again(self, job: Job, why: str) -> None:
        """Play a cell once more, behind all others; one that has lost several workers fails."""
        job.tries += 1
        self._board.lost(job.number, job.cell.title, why)
        if job.tries < TRIES:
            self._waiting.append(job)
        else:
            reason = f"{TRIES} workers died over it: {why}"
            self._over(job, give_up(self.sessions[job.session].request, job.cell, reason), 0.0)

    def _give(self, hand: Hand) -> None:
        """The first cell that need not wait for its reference."""
        if not self._checked:
            return
        for job in self._waiting:
            needs = (g for g in self._golds if g.session == job.session and g.cell.is_yardstick_of(job.cell))
            if not any(needs):
                break
        else:
            return
        self._waiting.remove(job)
        self._playing[id(hand)], self._started[id(hand)] = job, time.monotonic()
        self._board.start(job.number, job.cell.title, hand.name)
        played = self.sessions[job.session].played
        failed = {i: result for i, result in played.items() if result["status"] == "failed"}
        named = {"session": job.session, "id": job.cell.recipe_id, "number": job.number}
        hand.send({"do": "play", **named, "count": self._board.count, "failed": failed})
