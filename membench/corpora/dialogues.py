"""Dialogues in which films are recommended: what a data source brings for the task `recommendation`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from membench.values import Dataset, Question


@dataclass(frozen=True)
class Dialogues(Dataset):
    """Contexts are training dialogues; beside them, turns of other dialogues at which the system recommends something.

    A turn is a question whose `text` is the conversation so far and whose `answers` are the recommended items. Its tags
    hold the id of its `dialogue` and, as a JSON list, the items `mentioned` before. Its `context` is the training
    dialogue that states the answer where one is known to, else the turn's own dialogue.
    """

    items: tuple[str, ...] = ()  # the catalogue: every title once, in the order of the file
    turns: tuple[Question, ...] = ()
    recommended: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # context id -> items it recommends
    split: str = ""  # how training and test dialogues were told apart, in words


def turn_tags(dialogue: str, mentioned: tuple[str, ...]) -> dict[str, str]:
    """The tags of a turn."""
    return {"kind": "turn", "dialogue": dialogue, "mentioned": json.dumps(mentioned, ensure_ascii=False)}


def mentioned(tags: Mapping[str, str]) -> tuple[str, ...]:
    """The items that were mentioned before a turn."""
    return tuple(json.loads(tags["mentioned"]))


def fingerprint(data: Dialogues) -> str:
    """A hash of what is written, asked and recommended, and of the catalogue."""
    rows = [[asdict(row) for row in rows] for rows in (data.contexts, data.turns)]
    text = json.dumps([*rows, data.items, dict(data.recommended)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
