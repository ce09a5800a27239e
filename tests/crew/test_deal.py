"""Cells are dealt out so that a worker which dies costs no more than the cell in its hand."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import membench
from membench.crew.deal import TRIES, Deal
from membench.crew.worker import Worker
from membench.errors import MembenchError
from membench.model.llm import LLM
from membench.planning.request import Request
from membench.running.progress import Reporter
from membench.running.runner import sessions_of
from membench.running.session import Session
from membench.store import cell_folder
from tests.support.killed_runs import stored

Message = Mapping[str, Any]


class Hand:
    """A worker in this process; it dies where a test wants it, before it answers."""

    def __init__(self, number: int):
        self.name, self.worker, self.given = f"worker {number}", Worker(), deque[Message]()

    def send(self, message: Message) -> None:
        self.given.append(message)


class Here:
    """A crew in this process: whoever was given something first answers first."""

    def __init__(self, size: int, dies: Callable[[Message], bool] = lambda _: False):
        self.size, self.dies = size, dies
        self.hands: list[Hand] = []
        self.played: list[tuple[str, str]] = []  # who was given which cell
        self.hired = 0
        self.dismissed = False

    def hire(self) -> Hand:
        self.hired += 1
        self.hands.append(Hand(self.hired))
        return self.hands[-1]

    def next(self) -> tuple[Hand, dict[str, Any] | str]:
        hand = next(h for h in self.hands if h.given)
        message = hand.given.popleft()
        self.hands.append(self.hands.pop(self.hands.index(hand)))
        if message["do"] == "play":
            self.played.append((hand.name, message["id"]))
        if self.dies(message):
            self.hands.remove(hand)
            return hand, "SIGKILL"
        return hand, hand.worker.answer(message)

    def dismiss(self) -> None:
        self.dismissed = True


@pytest.fixture
def request_(tiny: Path, data_file: Path, tmp_path: Path, llm: LLM, monkeypatch: pytest.MonkeyPatch) -> Request:
    """Two yardsticks and two cells; the tiny model stays loaded, and nothing waits for the disk."""
    monkeypatch.setattr(LLM, "load", lambda *_, **__: llm)
    monkeypatch.setattr(os, "fsync", lambda _: None)
    data = (f"jsonl:{data_file}",)
    return Request(("bm25", "full-context"), ("sequential",), data, str(tiny), limit=2, output=tmp_path / "dealt")


def deal(request: Request, crew: Here) -> tuple[list[dict[str, Any]], list[Session]]:
    reporter = Reporter(Console(stderr=True))
    sessions = sessions_of([request], reporter)
    (results,) = Deal(sessions, reporter, crew).play()
    return results, sessions


def test_a_dealt_run_is_that_of_one_process_and_waits_for_the_reference(request_: Request, tmp_path: Path) -> None:
    crew = Here(3)
    results, sessions = deal(request_, crew)
    options = {"data": request_.data, "model": request_.model, "limit": 2, "output": tmp_path / "one"}
    assert [r["id"] for r in membench.run("bm25,full-context", "sequential", **options)] == [r["id"] for r in results]
    assert stored(tmp_path / "dealt") == stored(tmp_path / "one")
    by_id = {cell.recipe_id: cell.method_name for cell in sessions[0].cells}
    order = [by_id[i] for _, i in crew.played]
    assert order[0] == "in-context"
    assert len({hand for hand, _ in crew.played}) == 3
    assert all(r["yardsticks"].keys() == {"in-context", "base"} for r in results[2:])
    assert crew.dismissed


def test_a_worker_that_dies_costs_its_cell_one_more_try(request_: Request) -> None:
    left = 1

    def dies(message: Message) -> bool:
        nonlocal left
        played: bool = message["do"] == "play"
        left -= played
        return played and left == 0

    crew = Here(2, dies)
    results, _ = deal(request_, crew)
    assert [r["status"] for r in results] == ["done"] * 4
    assert len(crew.played) == 5
    assert crew.hired == 3


def test_a_cell_that_kills_its_workers_fails_alone(request_: Request, capsys: pytest.CaptureFixture[str]) -> None:
    (victim,) = [c for c in sessions_of([request_], Reporter(Console()))[0].cells if c.method_name == "bm25"]
    crew = Here(2, lambda message: message.get("id") == victim.recipe_id)
    results, _ = deal(request_, crew)
    assert [(r["recipe"]["method"], r["status"]) for r in results if r["status"] != "done"] == [("bm25", "failed")]
    assert [i for _, i in crew.played].count(victim.recipe_id) == TRIES
    (stored_one,) = [c for c in cell_folder.cells(request_.output) if c.status == "failed"]
    assert stored_one.result["reason"].startswith("3 workers died over it: its worker, ")
    again, _ = deal(request_, Here(2))
    assert [r["status"] for r in again] == ["done"] * 4


def test_what_is_wrong_ends_the_run_with_its_line(request_: Request) -> None:
    crew = Here(2, lambda message: message["do"] == "begin")
    with pytest.raises(MembenchError, match=r"workers ended before they could play \(SIGKILL\)"):
        deal(request_, crew)
    assert crew.dismissed


def test_only_one_worker_checks_and_none_plays_before(request_: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(session: Session) -> None:
        raise MembenchError("a context that does not fit")

    monkeypatch.setattr(Session, "prepare", refuse)
    crew = Here(3)
    with pytest.raises(MembenchError, match="a context that does not fit"):
        deal(request_, crew)
    assert not crew.played
    assert not list(request_.output.glob("*/records.jsonl"))
