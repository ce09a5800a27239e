"""The writer of target sentences that a cell is lent, and what it was trained on in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from membench.io import weights
from membench.model.text_model import TextModel
from membench.planning.data_checks import book_of, writers_of
from membench.planning.plan import PlannedCell
from membench.planning.request import Request
from membench.planning.validation import ModelInfo
from membench.running.progress import Reporter
from membench.targets.scribe import Scribe
from membench.values import Pair

if TYPE_CHECKING:
    from membench.model.llm import LLM


def scribe_of(cell: PlannedCell, model: ModelInfo, request: Request, reporter: Reporter) -> Scribe:
    """A scribe that knows the data's own pairs, and keeps in the user's cache what others write.

    That there are none it knows of texts that are written apart, as of small talk between dated sessions.
    """
    book = book_of(cell.data, cell.written)
    identity = f"{model.weights_hash} {model.files_hash} {model.dtype}"
    cache = weights.home() / "targets"
    return Scribe(book, cache, request.base_url, request.offline, identity, reporter.say)


def written_pairs(cell: PlannedCell, scribe: Scribe, model: TextModel) -> dict[str, tuple[Pair, ...]]:
    """The pairs that the cell's method was trained on, also those written before a kill."""
    for writer, count in writers_of(cell.method):
        for text in dict.fromkeys(context.text for context in cell.written):
            if text not in scribe.written:
                scribe.pairs(writer, text, count, cast("LLM", model))
    model.meter.lap()
    return dict(scribe.written)
