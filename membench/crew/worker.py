"""One worker: it plans the run as everybody does, has the model loaded, and plays the cells that it is given."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from membench.errors import MembenchError
from membench.estimates.forecast import Forecast
from membench.planning.request import Request, is_served
from membench.planning.schedule import Turn
from membench.planning.served import device_of
from membench.running.progress import Reporter, Stepper
from membench.running.runner import sessions_of

Message = Mapping[str, Any]


def plain(request: Request) -> dict[str, Any]:
    """A request as JSON has it."""
    request = settled(request)
    values = {field.name: getattr(request, field.name) for field in fields(request)}
    return {**values, "output": str(request.output)}


def settled(request: Request) -> Request:
    """A request whose folder and device are the same wherever a worker stands, so that its cells are."""
    device = request.device if is_served(request.model) else device_of(request)
    return replace(request, output=request.output.absolute(), device=device)


class Worker:
    """Answers messages, one at a time; the same for all ways in which they may come.

    "begin" has the `requests` of the run, the folder that it was called in (`cwd`), which session comes `first`, and
    for one of the workers the cells to `check` before any is played; "play" has the `session` and `id` of a cell, its
    `number` of `count`, and the results of yardsticks that `failed`. An answer has what was `said`, and the `result` of
    a cell or what is `wrong`.
    """

    def __init__(self) -> None:
        self._said: list[str] = []

    def answer(self, message: Message) -> dict[str, Any]:
        """What a message asks for."""
        self._said = []
        try:
            found = self._begin(message) if message["do"] == "begin" else self._play(message)
        except MembenchError as error:
            found = {"wrong": str(error)}
        return {"said": self._said, **found}

    def _begin(self, message: Message) -> dict[str, Any]:
        requests = [_request(values) for values in message["requests"]]
        for folder in (message["cwd"], *(request.output for request in requests)):
            if not Path(folder).is_dir():
                raise MembenchError(
                    f"{socket.gethostname()} does not see {folder}: workers need one folder on all machines; name such "
                    "a one with --output, and call from one"
                )
        os.chdir(message["cwd"])
        self._sessions = sessions_of(requests, _Silent(lambda _: None), message["debug"])  # the run has said it all
        for session in self._sessions:
            session.reporter = _Silent(lambda line: self._said.append(line))
        self._cells = [{cell.recipe_id: cell for cell in session.cells} for session in self._sessions]
        for number, ids in enumerate(message["check"] or ()):
            session = self._sessions[number]
            session.turn = Turn(missing=[self._cell(number, i) for i in ids])
            session.prepare()
        _ = self._sessions[message["first"]].llm
        return {}

    def _play(self, message: Message) -> dict[str, Any]:
        session = self._sessions[message["session"]]
        session.played |= message["failed"]
        cell = self._cell(message["session"], message["id"])
        return {"result": session.play(cell, message["number"], message["count"])}

    def _cell(self, session: int, name: str) -> Any:
        if name not in self._cells[session]:
            raise MembenchError("the plan of a worker is another one: has a file changed since the run began?")
        return self._cells[session][name]


def _request(values: Message) -> Request:
    found: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    return Request(**found | {"output": Path(values["output"])})


class _Silent(Reporter):
    """Hands on what is said; the bars are those of the run, not of a worker."""

    def __init__(self, hand_on: Callable[[str], object]):
        super().__init__(Console(quiet=True))
        self._hand_on = hand_on

    def say(self, text: str) -> None:
        """One line."""
        self._hand_on(text)

    @contextmanager
    def cell(self, title: str, number: int, count: int, steps: int) -> Iterator[Stepper]:
        """Nothing to report of the steps."""
        yield Stepper(Progress(disable=True), title, steps, Forecast([None]))
