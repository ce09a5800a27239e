"""The gold script: every question is asked with its own context alone written.

Played by `base` it is the floor, played by `in-context` the reference. Both are computed once for some data and model
and shared by all tasks. What the reference answered is kept with its hidden states, so that every method's divergence
from it can be measured without the reference being read again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as serialise

from membench.api import Answer, Ask, Context, Dataset, Episode, Method, Metric, Task, Write
from membench.reading import Reading, Reference
from membench.records import replace_file
from membench.views import summarise_seen

if TYPE_CHECKING:
    from membench.llm import LLM

NAME = "gold"
FILE = "reference.safetensors"


@dataclass(frozen=True)
class Gold(Task):
    """For each context an episode: write it, ask its questions."""

    def episodes(self, data: Dataset, seed: int) -> Iterator[Episode]:
        """One an context, in the data's order."""
        for context in data.contexts:
            yield Episode(context.id, (Write((context,)), Ask(context.questions)))

    def summarise(self, answers: Sequence[Answer]) -> dict[str, Metric]:
        """The views of what was seen: all, rehearsed, unrehearsed."""
        return summarise_seen(answers)


def gold_readings(
    llm: LLM, method: Method[Any], contexts: Sequence[Context], known: Mapping[str, Reading]
) -> dict[str, Reading]:
    """The readings of every question, by its id; those that are not known, as after a kill, are read again."""
    readings = dict(known)
    for context in contexts:
        if any(q.id not in readings for q in context.questions):
            texts = [q.text for q in context.questions]
            again = llm.answer(method.recall(method.write(None, [context.text]), texts), texts)
            readings |= {q.id: r for q, r in zip(context.questions, again, strict=True)}
    return readings


def save_references(folder: Path, readings: Mapping[str, Reading]) -> dict[str, Reference]:
    """Keep the answers' tokens and hidden states by question id; returns them. Raises DiskFull."""
    tensors = {}
    for question, reading in readings.items():
        tensors[f"ids/{question}"] = torch.tensor(reading.ids, dtype=torch.int64)
        tensors[f"hidden/{question}"] = reading.hidden.contiguous()
    replace_file(folder / FILE, serialise(tensors))
    return {question: Reference(reading.ids, reading.hidden) for question, reading in readings.items()}


def load_references(folder: Path) -> dict[str, Reference] | None:
    """What `save_references` kept; None if there is nothing that can be read."""
    try:
        tensors = load_file(folder / FILE)
    except (OSError, SafetensorError):
        return None
    return {
        name.removeprefix("ids/"): Reference(tuple(ids.tolist()), tensors["hidden/" + name.removeprefix("ids/")])
        for name, ids in tensors.items()
        if name.startswith("ids/")
    }
