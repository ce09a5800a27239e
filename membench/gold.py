"""The gold script: every question is asked with its own context alone written.

Played by `base` it is the floor, played by `in-context` the reference. Both are computed once for some data and model
and shared by all tasks. What the reference answered is kept with its hidden states, so that every method's divergence
from it can be measured without the reference being read again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from membench.api import Answer, Ask, Dataset, Episode, Metric, Task, Write
from membench.reading import Reading, Reference
from membench.views import summarise_seen

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


def save_references(folder: Path, readings: Mapping[str, Reading]) -> None:
    """Keep the answers' tokens and hidden states by question id."""
    tensors = {}
    for question, reading in readings.items():
        tensors[f"ids/{question}"] = torch.tensor(reading.ids, dtype=torch.int64)
        tensors[f"hidden/{question}"] = reading.hidden.contiguous()
    save_file(tensors, folder / FILE)


def load_references(folder: Path) -> dict[str, Reference]:
    """What `save_references` kept."""
    tensors = load_file(folder / FILE)
    return {
        name.removeprefix("ids/"): Reference(tuple(ids.tolist()), tensors["hidden/" + name.removeprefix("ids/")])
        for name, ids in tensors.items()
        if name.startswith("ids/")
    }
