"""One run of a request: its plan, its model, and the outcomes of its cells."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from membench.errors import MembenchError, standing_at
from membench.io import weights
from membench.io.atomic_files import CannotWrite, DiskFull, cannot_write
from membench.model.likelihood import Reference
from membench.model.llm import LLM
from membench.model.prompt import Renderer
from membench.planning.plan import PlannedCell, check_window, plan
from membench.planning.request import YARDSTICKS, ModelInfo, Request, resolve_model, validate
from membench.planning.schedule import Turn
from membench.running.drift import Baseline
from membench.running.environment import versions
from membench.running.loaded_model import Models
from membench.running.player import Player
from membench.running.progress import Reporter
from membench.running.references import gold_readings, load_references, save_references
from membench.running.yardsticks import Yardsticks
from membench.store import cell_folder
from membench.store.costs import ledger_of
from membench.store.records import RecordLog, read_records
from membench.store.summary import summarise_cell
from membench.targets.overlap import audit, overlaps
from membench.targets.scribe import Scribe
from membench.values import Drift, Pair, Question

REFERENCE = YARDSTICKS[0]


class Session:
    """One run of a request: the plan, the model (loaded when the first cell needs it) and the cells' outcomes.

    `cells` are all that the request names, `turn` says which of them it has to play; `played` has the results of those
    that it played so far, by id; `over` is whether all were played.
    """

    def __init__(self, request: Request, reporter: Reporter, debug: bool, models: Models | None = None):
        if request.offline:
            os.environ["HF_HUB_OFFLINE"] = "1"
        self.request = request
        self.reporter = reporter
        self.debug = debug
        self._models = models or Models()
        self.played: dict[str, dict[str, Any]] = {}
        self.turn, self.over = Turn(), False
        self._baselines: dict[Drift, Baseline] = {}
        with standing_at(request.place):
            validate(request)
            self.model: ModelInfo = resolve_model(request, request.style or weights.style(request.model))
            self.cells = plan(request, self.model, self._prompt_hash())
        for data, count in {cell.data.name: len(cell.data.contexts) for cell in self.cells}.items():
            if request.limit and count < request.limit:
                reporter.say(
                    f"{data} has {count} of the {request.limit} contexts asked for, and no others for a placebo"
                )
        self._yardsticks = Yardsticks(self.cells, request.output)

    def _prompt_hash(self) -> str:
        if self.model.style == "chat":
            return self.llm.renderer.digest
        return Renderer(self.model.style).digest

    @property
    def llm(self) -> LLM:
        """The model, loaded once."""
        return self._models.lend(self.model, self.request, self.reporter)

    def result(self, cell: PlannedCell) -> dict[str, Any] | None:
        """The stored result of a cell that is done and sound, unless all is to be played anew."""
        stored = None if self.request.overwrite else cell_folder.finished(self.request.output, cell.recipe)
        return stored if stored and cell_folder.sound(self._folder(cell), stored) else None

    def finished(self) -> set[str]:
        """The ids of the cells that are not to be played."""
        return {cell.recipe_id for cell in self.cells if self.result(cell) is not None}

    def _folder(self, cell: PlannedCell) -> Path:
        return cell_folder.folder_of(self.request.output, cell.recipe)

    def run(self) -> list[dict[str, Any]]:
        """Play what falls to this request."""
        missing = self.turn.missing
        with standing_at(self.request.place):
            for name in dict.fromkeys(name for cell in missing for name in cell.method.fetches()):
                weights.resolve(name, self.request.offline)
            if missing:
                check_window(missing, self.llm)
        for k, cell in enumerate(missing, self.turn.first):
            self.played[cell.recipe_id] = self._play(cell, k, self.turn.of)
        self.over = True
        results = (
            (c, self.played.get(c.recipe_id) or cell_folder.finished(self.request.output, c.recipe)) for c in self.cells
        )
        return [self._yardsticks.complete(cell, result) for cell, result in results if result]

    def _play(self, cell: PlannedCell, number: int, count: int) -> dict[str, Any]:
        folder = cell_folder.open_cell(self.request.output, cell.recipe)
        with cell_folder.lock(folder) as mine:
            if not mine:
                self.reporter.say(f"[{number}/{count}] {cell.title}: another run is playing it; waiting")
                cell_folder.wait(folder)
            ready = self.result(cell)
            if ready is not None:
                return ready
            if self.request.overwrite:
                cell_folder.clear(folder)
            elif cell_folder.finished(self.request.output, cell.recipe):
                self.reporter.say(cell_folder.reject(folder))
            cell_folder.sweep(folder)
            return self._play_locked(cell, folder, number, count)

    def _play_locked(self, cell: PlannedCell, folder: Path, number: int, count: int) -> dict[str, Any]:
        started = datetime.now(UTC).isoformat(timespec="seconds")
        scribe = self._scribe(cell)
        cell = self._lent(cell, scribe)
        references = self._references(cell)
        try:
            steps = sum(len(e.steps) for e in cell.task.episodes(cell.data, cell.recipe["seed"]))
            with (
                RecordLog.open(folder, self.reporter.say) as log,
                self.reporter.cell(cell.title, number, count, steps) as stepper,
            ):
                player = Player(cell, self.llm, log, references, stepper, self._baselines)
                player.play()
            if cell.is_gold and cell.method_name == REFERENCE:
                save_references(folder, gold_readings(self.llm, cell.method, cell.data.contexts, player.readings))
            return self._finish(cell, folder, started, self._written(cell, scribe), None)
        except CannotWrite:
            raise
        except Exception as error:  # a plug-in may fail in any way: its cell says why, the others are still played
            if self.debug:
                raise
            reason = _reason(error, folder)
            self.reporter.say(f"[{number}/{count}] {cell.title}: failed: {reason}")
            return self._finish(cell, folder, started, {}, reason)

    def _lent(self, cell: PlannedCell, scribe: Scribe) -> PlannedCell:
        """The cell with what is lent to its method."""
        return replace(cell, method=replace(cell.method, llm=self.llm, scribe=scribe, seed=cell.recipe["seed"]))

    def _scribe(self, cell: PlannedCell) -> Scribe:
        book = {c.text: c.targets for c in (*cell.data.contexts, *cell.data.held_out, *cell.written) if c.targets}
        cache = weights.home() / "targets"
        identity = f"{self.model.weights_hash} {self.model.dtype}"
        return Scribe(book, cache, self.request.base_url, self.request.offline, identity, self.reporter.say)

    def _references(self, cell: PlannedCell) -> dict[str, Reference]:
        """What the in-context reference answered, if it has been played; read again if it is no longer there."""
        for gold in self._yardsticks.of(cell):
            if gold.method_name == REFERENCE:
                folder = self._folder(gold)
                method = self._lent(gold, self._scribe(gold)).method
                kept = load_references(folder)
                return kept or save_references(folder, gold_readings(self.llm, method, gold.data.contexts, {}))
        return {}

    def _written(self, cell: PlannedCell, scribe: Scribe) -> dict[str, tuple[Pair, ...]]:
        """The pairs that the method was trained on, also those written before a kill."""
        settings = cell.recipe["settings"]
        if {"targets", "pairs"} <= settings.keys():
            for text in dict.fromkeys(context.text for context in cell.written):
                if text not in scribe.written:
                    scribe.pairs(settings["targets"], text, settings["pairs"], self.llm)
            self.llm.meter.lap()
        return dict(scribe.written)

    def _finish(
        self, cell: PlannedCell, folder: Path, started: str, pairs: Mapping[str, Sequence[Pair]], reason: str | None
    ) -> dict[str, Any]:
        records = read_records(folder)
        summary, costs, counts = summarise_cell(None if reason else cell.task, records)
        questions: list[Question] = [q for c in cell.data.contexts for q in c.questions]
        # How near a question is to what was trained on; for a method that trains on nothing, to what the data has.
        given = pairs or {c.text: c.targets for c in cell.data.contexts}
        asked = {r["question"]: r["text"] for r in records if r["type"] == "answer"}
        overlap = overlaps(asked, [pair for group in given.values() for pair in group])
        result = {
            "schema": cell_folder.SCHEMA,
            "id": cell.recipe_id,
            "status": "failed" if reason else "done",
            "reason": reason,
            "label": cell.method.label,
            "recipe": cell.recipe,
            "summary": summary,
            **({"yardsticks": {}} if reason else self._yardsticks.compare(cell, records, overlap)),
            "overlap": overlap,
            "ledger": ledger_of(records, self.llm.model.num_parameters()),
            "costs": costs,
            "counts": counts,
            "audit": audit(pairs, questions, {c.id: c.text for c in cell.data.contexts}) if pairs else None,
            "versions": versions(self.request.device),
            "started": started,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        if pairs:
            cell_folder.write_targets(folder, pairs)
        return cell_folder.finish(folder, result)


def _reason(error: Exception, folder: Path) -> str:
    """Why a cell failed, as it stands in its result. Raises DiskFull where that is why."""
    if isinstance(error, OSError) and isinstance(full := cannot_write(error, folder), DiskFull):
        raise full from error
    return str(error) if isinstance(error, MembenchError) else f"{type(error).__name__}: {error}"
