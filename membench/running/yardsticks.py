"""What floor and reference say of the other cells on their data, as far as they have been played."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from membench.planning.plan import PlannedCell
from membench.store import cell_folder
from membench.store.question_subsets import compared
from membench.store.records import answer_of, read_records


@dataclass(frozen=True)
class Yardsticks:
    """The yardsticks among these cells, with what is stored of them in a folder."""

    cells: Sequence[PlannedCell]
    output: Path

    def of(self, cell: PlannedCell) -> Iterator[PlannedCell]:
        """The yardsticks on this cell's data, as far as they are done."""
        for other in self.cells:
            ground = other.is_gold and other.recipe_id != cell.recipe_id and _same_ground(other, cell)
            if ground and cell_folder.finished(self.output, other.recipe):
                yield other

    def compare(
        self, cell: PlannedCell, records: Sequence[Mapping[str, Any]], overlap: Mapping[str, float]
    ) -> dict[str, Any]:
        """What the yardsticks that are done say of this cell; see membench.store.question_subsets."""
        answers = [answer_of(r) for r in records if r["type"] == "answer"]
        golds = {}
        for gold in self.of(cell):
            rows = read_records(cell_folder.folder_of(self.output, gold.recipe))
            golds[gold.method_name] = [answer_of(r) for r in rows if r["type"] == "answer"]
        return compared(cell.task, answers, golds, None if cell.is_gold else overlap)

    def complete(self, cell: PlannedCell, result: dict[str, Any]) -> dict[str, Any]:
        """A result that was stored before its yardsticks were played gets them now; nothing else of it changes."""
        golds = {gold.method_name for gold in self.of(cell)}
        if cell.is_gold or result["status"] != "done" or golds <= result["yardsticks"].keys():
            return result
        folder = cell_folder.folder_of(self.output, cell.recipe)
        return cell_folder.finish(folder, result | self.compare(cell, read_records(folder), result.get("overlap", {})))


def _same_ground(gold: PlannedCell, cell: PlannedCell) -> bool:
    """Whether a yardstick was played on this cell's data and model, and counts for its task."""
    return cell.task.gold_script and gold.data.name == cell.data.name and gold.data.contexts == cell.data.contexts
