"""Which block of a run plays which cell: one that several blocks name is played and counted once."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from membench.estimate import Estimator
from membench.plan import Planned
from membench.progress import Reporter

if TYPE_CHECKING:
    from membench.runner import Session


@dataclass(frozen=True)
class Turn:
    """What falls to one block: how many cells were done before the run, and those that it has to play.

    The first of them is number `first`, from 1, of the `of` that the run plays in all.
    """

    done: int = 0
    missing: Sequence[Planned] = ()
    first: int = 1
    of: int = 0


def share(blocks: Sequence[tuple[Path, Sequence[Planned], Set[str]]]) -> list[list[Planned]]:
    """Which cells fall to each block, of which output folder, cells and ids of those that are done are given.

    A cell falls to the first block that has to play it; where none has to, to the first that names it.
    """
    owner: dict[tuple[Path, str], tuple[int, bool]] = {}
    for k, (output, cells, done) in enumerate(blocks):
        for cell in cells:
            key, missing = (output, cell.recipe_id), cell.recipe_id not in done
            if key not in owner or missing > owner[key][1]:
                owner[key] = k, missing
    return [
        [cell for cell in cells if owner[output, cell.recipe_id][0] == k] for k, (output, cells, _) in enumerate(blocks)
    ]


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
    folders = ", ".join(dict.fromkeys(str(output) for output, *_ in blocks))
    reporter.say(f"{total} cells, {total - count} of them done already, in {folders}")


def _seconds(session: Session, cells: Sequence[Planned]) -> list[float | None]:
    """How long cells will take, as `--dry-run` estimates it."""
    if not cells:
        return []
    estimator, path = Estimator.of(session.request.output, session.request.device), Path(session.model.path)
    return [estimator.estimate(cell, path).seconds for cell in cells]
