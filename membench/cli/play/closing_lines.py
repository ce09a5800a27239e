"""What stands on standard error when a run is over: what it came to, and what to type next."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from membench.estimates.forecast import spell
from membench.planning.schedule import Turn
from membench.store.recipe import YARDSTICKS


@dataclass(frozen=True)
class Outcome:
    """What one request came to in its folder; `stopped` before its end it has played less than its turn."""

    output: Path
    turn: Turn
    played: Sequence[Mapping[str, Any]]
    saved: Path  # the settings, for `membench run -C`
    stopped: bool = False

    @property
    def failed(self) -> list[Mapping[str, Any]]:
        """The results of the cells that failed."""
        return [result for result in self.played if result["status"] == "failed"]


def summary(outcomes: Sequence[Outcome], seconds: float) -> list[str]:
    """The lines; what to type next is one command a line, ready to be copied."""
    before, missing = sum(o.turn.done for o in outcomes), sum(len(o.turn.missing) for o in outcomes)
    failed = sum(len(o.failed) for o in outcomes)
    played = sum(len(o.played) for o in outcomes) - failed
    left = missing - played - failed
    parts = [f"{played} played", f"{failed} failed", f"{before} done already and skipped"]
    parts += [f"{left} not played yet"] if left else []
    folders = list(dict.fromkeys(str(o.output) for o in outcomes))
    head = f"{before + missing} cells: {', '.join(parts)}; {spell(seconds)}; in {', '.join(folders)}"
    return [head, *dict.fromkeys(line for o in outcomes for line in _next(o)), *_again(outcomes)]


def _next(outcome: Outcome) -> list[str]:
    """What to look at."""
    lines = [f"  membench leaderboard{_place(outcome.output)}"] if not outcome.stopped else []
    for result in outcome.failed:
        what = f"{result['recipe']['method']} on {result['recipe']['task']} failed"
        lines.append(f"  membench show {result['id'][:8]}{_place(outcome.output)}  # {what}")
    two = _two_methods(outcome.played)
    if two:
        lines.append(f"  membench compare {shlex.join(two)}{_place(outcome.output)}")
    return lines


def _again(outcomes: Sequence[Outcome]) -> list[str]:
    """How to resume what is missing, and to have the same comparison again."""
    missing = any(o.stopped or o.failed for o in outcomes)
    what = "plays what is missing" if missing else "prints the same comparison; with -o OTHER plays it anew"
    saved = dict.fromkeys(str(o.saved) for o in outcomes)
    same = "the same command, or " if missing else ""
    return [f"  {same}membench run -C {shlex.quote(path)}  # {what}" for path in saved]


def _two_methods(played: Sequence[Mapping[str, Any]]) -> list[str]:
    """The first two methods that were played on one task; none if there are no two."""
    by_task: dict[str, list[str]] = {}
    for result in played:
        name = result["recipe"]["method"]
        if result["status"] == "done" and name not in YARDSTICKS:
            by_task.setdefault(result["recipe"]["task"], []).append(name)
    found = (list(dict.fromkeys(names))[:2] for names in by_task.values())
    return next((names for names in found if len(names) == 2), [])


def _place(output: Path) -> str:
    """How a command is told the folder; nothing where it is the one that commands look into anyway."""
    usual = os.environ.get("MEMBENCH_OUTPUT_DIR") or "results"
    return "" if str(output) == usual else f" {shlex.quote(str(output))}"
