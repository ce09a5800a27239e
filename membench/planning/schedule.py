"""Which block of a run plays which cell: one that several blocks name is played and counted once."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from membench.planning.plan import PlannedCell


@dataclass(frozen=True)
class Turn:
    """What falls to one block: how many cells were done before the run, and those that it has to play.

    The first of them is number `first`, from 1, of the `of` that the run plays in all.
    """

    done: int = 0
    missing: Sequence[PlannedCell] = ()
    first: int = 1
    of: int = 0


def share(blocks: Sequence[tuple[Path, Sequence[PlannedCell], Set[str]]]) -> list[list[PlannedCell]]:
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
