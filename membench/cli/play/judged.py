"""A judge's verdicts on what a run has played."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from membench.errors import MembenchError

if TYPE_CHECKING:
    from membench.talks.judge import Judge


def refuse_judges(judges: Sequence[str], requests: Sequence[Any]) -> None:
    """Raise MembenchError before anything is played: for a judge that is none or that has no address or key, and for
    nothing that it could judge.
    """
    if not judges:
        return
    from membench.endpoints.endpoint_address import address
    from membench.talks.judge import model_of
    from membench.talks.measures import TASK

    for typed in judges:
        model_of(typed)
        address(requests[0].base_url)
    if not any(TASK in request.tasks for request in requests):
        raise MembenchError(f"--judge is for the task {TASK}: say -t {TASK}, or leave it out")


def judged(results: Mapping[Path, Sequence[Any]], judge: Judge) -> dict[Path, list[Any]]:
    """The results by folder, those of conversations with verdicts. Raises MembenchError as the judge does."""
    from membench.analysis.rescore import rescore
    from membench.store.cell_folder import folder_of, read_result
    from membench.talks.measures import TASK

    found = {}
    for folder, those in results.items():
        done = [r["id"] for r in those if r["status"] == "done" and r["recipe"]["task"] == TASK]
        if done:
            rescore(folder, done, judge)
        found[folder] = [read_result(folder_of(folder, result["recipe"])) or result for result in those]
    return found
