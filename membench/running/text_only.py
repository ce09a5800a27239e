"""Whether a method is a memory of texts, found out before anything is played: an endpoint shows no weights."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn, cast

from membench.api import Method
from membench.errors import MembenchError
from membench.model.meter import Meter
from membench.model.text_model import TextModel
from membench.planning.plan import PlannedCell
from membench.planning.served import wants_weights
from membench.playing.plugin_call import as_it_was
from membench.plugins.calls import calling
from membench.served.endpoint_model import EndpointModel, NeedsWeights, refuse_but_texts

if TYPE_CHECKING:
    from membench.model.llm import LLM

TEXT = "The harbour of Vellmar was built by Ines Corde in 1931."
QUESTION = "Who built the harbour of Vellmar?"


def refuse_unplayable(cells: Sequence[PlannedCell], model: TextModel) -> None:
    """Refuse methods that cannot be played on a model, before anything is played. Raises MembenchError."""
    for cell in {id(cell.method): cell for cell in cells}.values():
        if isinstance(model, EndpointModel):
            refuse_weights(cell.method_name, cell.method, model)
        else:
            with calling(f"method {cell.method_name}", "require_model()"):
                replace(cell.method, llm=cast("LLM", model)).require_model()


class _Asked(Exception):
    """The method asks the model for text, as it may."""


class _Silent(EndpointModel):
    """An endpoint's model that is not asked."""

    def _continued(self, *_: object) -> NoReturn:
        raise _Asked


def refuse_weights(name: str, method: Method[Any], llm: EndpointModel) -> None:
    """Try a method on a text and a question, without a request. Raises MembenchError if it wants the model's weights.

    What else goes wrong is left to its cell to say.
    """
    silent = copy.copy(llm)
    silent.__class__, silent.meter = _Silent, Meter()
    with calling(f"method {name}", "settings"):
        tried = replace(method, llm=cast("LLM", silent))
    try:
        with as_it_was(), contextlib.closing(tried):
            tried.require_model()
            with contextlib.suppress(_Asked):
                recall = tried.recall(tried.write(None, [TEXT]), [QUESTION])
                refuse_but_texts(llm.name, recall)
    except NeedsWeights as error:
        raise MembenchError(wants_weights(name, llm.name)) from error
    except MembenchError:
        raise
    except Exception:  # a plug-in may fail in any way
        return
