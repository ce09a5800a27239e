"""One run of a request: its plan, its model, and the outcomes of its cells."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from membench.checkpoints.devices import chosen_device
from membench.endpoints.model_client import EndpointAway
from membench.errors import standing_at
from membench.io import weights
from membench.io.atomic_files import CannotWrite
from membench.io.plain_files import NoFile
from membench.model.likelihood import Reference
from membench.model.text_model import TextModel
from membench.planning.data_checks import said_of_size
from membench.planning.length_checks import check_window, cut_answers
from membench.planning.plan import PlannedCell, plan
from membench.planning.request import Request
from membench.planning.schedule import Turn
from membench.planning.validation import ModelInfo, resolve_model, validate
from membench.playing.drift import Baseline
from membench.playing.player import Player
from membench.prompts.chat_template import ServerTemplate
from membench.prompts.prompt import Renderer
from membench.reading.kept_verdicts import checkpoint_key
from membench.reading.self_test import SLOW, known_slow
from membench.running.loaded_model import Models
from membench.running.outcome import now, outcome, remarks_of, spent_by, why
from membench.running.progress import Reporter
from membench.running.references import gold_readings, load_references, save_references
from membench.running.target_pairs import scribe_of, written_pairs
from membench.running.text_only import refuse_unplayable
from membench.running.yardsticks import Yardsticks, stored_whole
from membench.served.allowance import SpentUp
from membench.store import cell_folder
from membench.store.cell_lock import taken_up
from membench.store.recipe import REFERENCE
from membench.store.record_log import RecordLog
from membench.store.records import readable_records
from membench.store.script import Script, script_of
from membench.targets.scribe import Scribe
from membench.values import Drift

if TYPE_CHECKING:
    from membench.model.llm import LLM


class Session:
    """One run of a request: the plan, the model (loaded when the first cell needs it) and the cells' outcomes.

    `cells` are all that the request names, `turn` says which of them it has to play; `played` has the results of those
    that it played so far, by id; `over` is whether all were played. A model that was never
    tried is taken for one that is read in branches until `settle`.
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
            self.request = request = replace(request, device=chosen_device(request.device))
            self.model: ModelInfo = resolve_model(request)
            self._plan(bool(self._slow()))
        for line in dict.fromkeys(said_of_size(cell.data, request.limit) for cell in self.cells):
            if line:
                reporter.say(line)

    def settle(self) -> None:
        """Learn how a model is read that was never tried, by loading it. Raises MembenchError if it cannot be read."""
        if self._slow() is None and self.llm.slow:
            self._plan(slow=True)

    def _plan(self, slow: bool) -> None:
        self.model = replace(self.model, reader=SLOW if slow else "")
        self.keep(plan(self.request, self.model, self._prompt_hash()))

    def keep(self, cells: Sequence[PlannedCell]) -> None:
        """Let these be all cells of the request."""
        self.cells = list(cells)
        self._yardsticks = Yardsticks(self.cells, self.request.output)

    def _prompt_hash(self) -> str:
        if self.model.served:
            return Renderer(self.model.style, ServerTemplate()).digest
        if self.model.style == "chat":
            return self.llm.renderer.digest
        return Renderer(self.model.style).digest

    def _slow(self) -> bool | None:
        """Whether the model is read slowly, by what is kept of its trial; None if it was never tried."""
        m, request = self.model, self.request
        if m.served:
            return False
        return known_slow(
            checkpoint_key(m.weights_hash, m.files_hash, m.dtype, request.device, request.trust_remote_code)
        )

    @property
    def llm(self) -> TextModel:
        """The model, loaded once."""
        return self._models.lend(self.model, self.request, self.reporter)

    def unload(self) -> None:
        """Let the model go, as others play; it is loaded again where it is needed."""
        self._models.drop()

    def result(self, cell: PlannedCell) -> dict[str, Any] | None:
        """The stored result of a cell that is done, sound and whole, unless it is to be played anew."""
        if self.request.overwrite and cell.recipe_id not in self.played:
            return None
        found = stored_whole(self.request.output, cell)
        return found[0] if found else None

    def finished(self) -> set[str]:
        """The ids of the cells that are not to be played."""
        return {cell.recipe_id for cell in self.cells if self.result(cell) is not None}

    def _folder(self, cell: PlannedCell) -> Path:
        return cell_folder.folder_of(self.request.output, cell.recipe)

    def run(self) -> list[dict[str, Any]]:
        """Play what falls to this request."""
        self.prepare()
        for k, cell in enumerate(self.turn.missing, self.turn.first):
            self.played[cell.recipe_id] = self.play(cell, k, self.turn.of)
        return self.results()

    def prepare(self) -> None:
        """Fetch what the cells of this turn need, and refuse what cannot be played. Raises MembenchError."""
        missing = self.turn.missing
        with standing_at(self.request.place):
            for name in dict.fromkeys(name for cell in missing for name in cell.method.fetches()):
                weights.resolve(name, self.request.offline)
            if missing:
                refuse_unplayable(missing, self.llm)
                check_window(missing, self.llm)
                for line in cut_answers(missing, self.llm):
                    self.reporter.say(line)

    def results(self) -> list[dict[str, Any]]:
        """The results of all cells, once those of this turn are played."""
        self.over = True
        results = (
            (c, self.played.get(c.recipe_id) or cell_folder.finished(self.request.output, c.recipe)) for c in self.cells
        )
        return [self._yardsticks.complete(cell, result) for cell, result in results if result]

    def play(self, cell: PlannedCell, number: int, count: int) -> dict[str, Any]:
        """The result of one cell, played unless another run has done so; number `number`, from 1, of `count`."""
        head = f"[{number}/{count}] {cell.title}"
        try:
            folder = cell_folder.open_cell(self.request.output, cell.recipe)
            with self._locked(folder, head):
                if (ready := self.result(cell)) is not None:
                    return ready
                if self.request.overwrite and cell.recipe_id not in self.played:
                    cell_folder.clear(folder)
                elif trouble := cell_folder.reject(folder, cell.recipe, self._script(cell)):
                    self.reporter.say(trouble)
                cell_folder.sweep(folder)
                with taken_up(folder, now()):
                    return self._play_locked(cell, folder, number, count)
        except (NoFile, cell_folder.LockLost) as odd:  # nothing can be stored: the result is known to this run alone
            self.reporter.say(f"{head}: failed: {odd}")
            return dict(cell_folder.failed_cell(self._folder(cell), cell.recipe, str(odd)).result)

    @contextlib.contextmanager
    def _locked(self, folder: Path, head: str) -> Iterator[None]:
        """Hold a cell's lock, as soon as no other run does."""
        with cell_folder.lock(folder) as mine:
            if mine:
                yield
                return
        self.reporter.say(f"{head}: another run is playing it; waiting")
        with cell_folder.lock(folder, wait=True):
            yield

    def _script(self, cell: PlannedCell) -> Script:
        return script_of(cell.episodes())

    def _play_locked(self, cell: PlannedCell, folder: Path, number: int, count: int) -> dict[str, Any]:
        spent = spent_by(self.request, self.llm)
        scribe = self._scribe(cell)
        try:
            cell = self._lent(cell, scribe)
            references = self._references(cell, number, count)
            script = self._script(cell)
            with (
                contextlib.closing(cell.method),
                RecordLog.open(folder, self.reporter.say, script) as log,
                self.reporter.cell(cell.title, number, count, len(script)) as stepper,
            ):
                player = Player(cell, self.llm, log, references, stepper, self._baselines)
                player.play()
                records = log.whole()
            if cell.is_gold and cell.method_name == REFERENCE:
                save_references(folder, gold_readings(self.llm, cell.method, cell.data.contexts, player.readings))
            pairs = written_pairs(cell, scribe, self.llm)
            spent |= remarks_of(self.llm)
            result = outcome(cell, records, self._yardsticks, pairs, spent, None)
            if pairs:
                cell_folder.write_targets(folder, pairs)
            return cell_folder.finish(folder, result, log.sha256)
        except (CannotWrite, cell_folder.LockLost, EndpointAway, SpentUp):
            raise  # no cell's fault: the run ends, and the same command goes on from here
        except BaseException as error:  # a plug-in may fail in any way, by sys.exit too: its cell says why
            if self.debug or isinstance(error, KeyboardInterrupt):
                raise
            reason = why(error, folder)
            self.reporter.say(f"[{number}/{count}] {cell.title}: failed: {reason}")
            records, found = readable_records(folder)
            return cell_folder.finish(folder, outcome(cell, records, self._yardsticks, {}, spent, reason), found)

    def _lent(self, cell: PlannedCell, scribe: Scribe) -> PlannedCell:
        """The cell with what is lent to its method."""
        llm = cast("LLM", self.llm)  # a text memory needs no more of it than TextModel; others were refused
        return replace(cell, method=replace(cell.method, llm=llm, scribe=scribe, seed=cell.recipe["seed"]))

    def _scribe(self, cell: PlannedCell) -> Scribe:
        return scribe_of(cell, self.model, self.request, self.reporter)

    def _references(self, cell: PlannedCell, number: int, count: int) -> dict[str, Reference]:
        """What the in-context reference answered, if it is played and does not fail.

        It is waited for while another run plays it, and played here if it is gone.
        """
        gold = next((g for g in self._yardsticks.of(cell) if g.method_name == REFERENCE), None)
        if gold and stored_whole(self.request.output, gold) and (kept := load_references(self._folder(gold))):
            return kept  # what is whole needs no lock
        while gold is not None:
            with self._locked(cell_folder.open_cell(self.request.output, gold.recipe), gold.title):
                if stored_whole(self.request.output, gold):
                    return self._kept_references(gold)
            if self.played.get(gold.recipe_id, {}).get("status") == "failed":  # it was tried just now
                break
            self.played[gold.recipe_id] = self.play(gold, number, count)
        return {}

    def _kept_references(self, gold: PlannedCell) -> dict[str, Reference]:
        """What the reference kept; read again if it is no longer there. Its lock must be held."""
        folder = self._folder(gold)
        if kept := load_references(folder):
            return kept
        method = self._lent(gold, self._scribe(gold)).method
        return save_references(folder, gold_readings(self.llm, method, gold.data.contexts, {}))
