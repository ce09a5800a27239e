"""The published MemoryLLM and M+ checkpoints: known by their names and by the classes that they name, and refused.

Half of what such a checkpoint is would be left out without a word: transformers reads its Llama and drops its pool.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from membench.errors import MembenchError

_NAMES = re.compile(r"YuWangX/(memoryllm|mplus)", re.IGNORECASE)  # hub ids
_CLASSES = re.compile(r"memoryllm|mplus", re.IGNORECASE)  # what the configuration names
_WHY = (
    "the published MemoryLLM and M+ checkpoints run under transformers 4.4x alone: train parts for a base model with "
    "`membench train-memory`"
)


def refuse_published(what: str, name: str, classes: Iterable[str | None] = ()) -> None:
    """Refuse `name` ("model" or "checkpoint" is `what` it is given as) if it is one. Raises MembenchError.

    `classes` are the model type and the architectures of its configuration, where that has been read.
    """
    if _NAMES.match(name) or any(_CLASSES.search(said) for said in classes if said):
        raise MembenchError(f"{what} {name}: {_WHY}")
