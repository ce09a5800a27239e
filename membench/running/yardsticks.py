"""What floor and reference say of the other cells on their data, as far as they have been played."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from membench.planning.plan import PlannedCell
from membench.store import cell_folder
from membench.store.question_subsets import compared
from membench.store.records import answer_of
from membench.store.script import script_of
from membench.values import Answer


@dataclass(frozen=True)
class Yardsticks:
    """The yardsticks among these cells, with what is stored of them in a folder."""

    cells: Sequence[PlannedCell]
    output: Path

    @cached_property
    def _golds(self) -> list[PlannedCell]:
        """Those that can be yardsticks at all: few, of however many cells."""
        return [cell for cell in self.cells if cell.is_gold]

    def of(self, cell: PlannedCell) -> Iterator[PlannedCell]:
        """The yardsticks on this cell's data, whether or not they are done."""
        for gold in self._golds:
            if gold.is_yardstick_of(cell):
                yield gold

    def compare(
        self, cell: PlannedCell, records: Sequence[Mapping[str, Any]], overlap: Mapping[str, float]
    ) -> dict[str, Any]:
        """What the yardsticks that are done say of this cell; see membench.store.question_subsets."""
        answers = [answer_of(r) for r in records if r["type"] == "answer"]
        return compared(cell.task, answers, self._answers(cell), None if cell.is_gold else overlap)

    def complete(self, cell: PlannedCell, result: dict[str, Any]) -> dict[str, Any]:
        """A result that was stored before its yardsticks were played gets them now; nothing else of it changes.

        It is made of what is on the disk then, under the cell's lock; while another run has that, the result stays.
        """
        if cell.is_gold or result["status"] != "done" or self._answers(cell).keys() <= _compared(result):
            return result
        folder = cell_folder.folder_of(self.output, cell.recipe)
        with cell_folder.lock(folder) as mine:
            found = stored_whole(self.output, cell) if mine else None
            if found is None:
                return result
            stored, records = found
            golds = self.compare(cell, records, stored.get("overlap") or {})
            return cell_folder.finish(folder, stored | golds, stored["records_sha256"])

    def _answers(self, cell: PlannedCell) -> dict[str, list[Answer]]:
        """By the yardstick's method; of those that are done, and not just being played anew."""
        found = ((gold.method_name, stored_whole(self.output, gold)) for gold in self.of(cell))
        return {name: [answer_of(r) for r in stored[1] if r["type"] == "answer"] for name, stored in found if stored}


def stored_whole(output: Path, cell: PlannedCell) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
    """The result and the records of a cell that is done, each step of its script closed once; else None."""
    script = script_of(cell.episodes())
    return cell_folder.whole(output, cell.recipe, script)


def _compared(result: Mapping[str, Any]) -> set[str]:
    return set(result.get("yardsticks") or {})
