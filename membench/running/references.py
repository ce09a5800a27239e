"""What the in-context reference answered, kept with its hidden states, so that divergences can be measured from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as serialise

from membench.api import Method
from membench.io.atomic_files import replace_file
from membench.model.decoding import Reading
from membench.model.likelihood import Reference
from membench.values import Context

if TYPE_CHECKING:
    from membench.model.text_model import TextModel


FILE = "reference.safetensors"


def gold_readings(
    llm: TextModel, method: Method[Any], contexts: Sequence[Context], known: Mapping[str, Reading]
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
