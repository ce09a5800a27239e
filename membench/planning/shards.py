"""A part of a run's cells, the same on every machine that is given the same command."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from membench.errors import MembenchError

if TYPE_CHECKING:
    from membench.planning.plan import PlannedCell


@dataclass(frozen=True)
class Shard:
    """Part number `number`, from 1, of `of`."""

    number: int
    of: int


def shard(typed: str) -> Shard:
    """`2/4` as a part. Raises MembenchError for what is none."""
    found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", typed.strip())
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise MembenchError(f"a shard is a part of so many, 1/4 to 4/4, got {typed!r}")
    return Shard(int(found[1]), int(found[2]))


def part(blocks: Sequence[Sequence[PlannedCell]], wanted: Shard) -> list[list[PlannedCell]]:
    """The cells of each block that are in this part, with the yardsticks that they need, so that it is whole by itself.

    Parts have the same number of cells (one more or less) by the order of ids, which mixes methods, tasks and seeds;
    a cell that several blocks have is in one part. Yardsticks of several parts are in each of them.
    """
    needed = {
        gold.recipe_id
        for cells in blocks
        for gold in cells
        if gold.is_gold and any(gold.is_yardstick_of(cell) for cell in cells if not cell.is_gold)
    }
    ids = sorted({cell.recipe_id for cells in blocks for cell in cells} - needed)
    mine = set(ids[wanted.number - 1 :: wanted.of])
    return [_with_yardsticks(cells, mine) for cells in blocks]


def _with_yardsticks(cells: Sequence[PlannedCell], mine: set[str]) -> list[PlannedCell]:
    own = [cell for cell in cells if cell.recipe_id in mine]
    return [c for c in cells if c.recipe_id in mine or any(c.is_yardstick_of(cell) for cell in own)]
