"""Methods that answer as a test says, played on a task with the tiny model: every number is known beforehand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from rich.console import Console

from membench.analysis.verify import verify
from membench.api import Method, Recall
from membench.planning.request import Request
from membench.plugins import registry
from membench.running import runner

Replies = Callable[[tuple[str, ...], str], str]  # (texts written, question) -> answer
Play = Callable[..., dict[str, float]]


@dataclass(frozen=True)
class Planted(Method[tuple[str, ...]]):
    """Keeps the texts and answers as the test says."""

    replies: ClassVar[Replies]

    def write(self, memory: tuple[str, ...] | None, contexts: Sequence[str]) -> tuple[str, ...]:
        return (*(memory or ()), *contexts)

    def recall(self, memory: tuple[str, ...] | None, questions: Sequence[str]) -> Recall:
        return Recall()

    def answer(self, memory: tuple[str, ...] | None, questions: Sequence[str]) -> list[str]:
        return [type(self).replies(memory or (), question) for question in questions]


def planted(
    tiny: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    task: str,
    limit: int,
    *always: str,
    data: str = "worlds",
) -> Play:
    """What plays a planted method, with these settings of the task, and returns its summary's values."""

    def played(replies: Replies, *settings: str) -> dict[str, float]:
        made = type("Made", (Planted,), {"replies": staticmethod(replies)})
        load = registry.load
        monkeypatch.setattr(registry, "require", lambda kind, names: None)  # it is not registered
        monkeypatch.setattr(registry, "load", lambda k, name: made if name == "planted" else load(k, name))
        request = Request(
            ("planted",), (task,), model=str(tiny), limit=limit, task_settings=(*always, *settings),
            output=tmp_path / "runs", yardsticks=False, overwrite=True,
        )  # fmt: skip
        (result,) = runner.run(request, Console(quiet=True), debug=True)
        assert all(v.ok for v in verify(tmp_path / "runs"))
        return {name: metric["value"] for name, metric in result["summary"].items()}

    return played
