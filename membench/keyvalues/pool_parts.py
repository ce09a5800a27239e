"""The trained parts of a memory pool: an adapter for writing, one for reading, and what they were trained for."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from membench.checkpoints.refused import refuse_published
from membench.errors import MembenchError
from membench.io import memory_codec as memories
from membench.io.user_files import user_path
from membench.values import Adapter

if TYPE_CHECKING:
    from membench.model.llm import LLM


@dataclass(frozen=True)
class PoolParts:
    """What `membench train-memory` makes; `recipe` holds its settings, `losses` what it reached on held-out text."""

    write: Adapter
    read: Adapter
    recipe: Mapping[str, Any]
    losses: Mapping[str, float]

    def require(self, **settings: Any) -> None:
        """Refuse settings that differ from those of training. Raises MembenchError."""
        for name, value in settings.items():
            if self.recipe[name] != value:
                wanted = self.recipe[name]
                raise MembenchError(
                    f"these parts were trained with {name}={wanted}, and {name}={value} was asked for: "
                    f"type -M memoryllm.{name}={wanted}"
                )

    def require_fit(self, llm: LLM) -> None:
        """Refuse a model of other modules or sizes than the parts were trained on. Raises MembenchError."""
        modules = dict(llm.model.named_modules())
        for layer in (*self.write.layers, *self.read.layers):
            for name, factors in layer.items():
                weight = getattr(modules.get(name), "weight", None)
                if weight is None or weight.shape != (factors["B"].shape[0], factors["A"].shape[1]):
                    raise MembenchError(
                        f"the trained parts are for {self.recipe['model']} and do not fit {llm.name} (at {name}): "
                        "take that model, or train parts for this one with `membench train-memory`"
                    )


def load_parts(folder: str) -> PoolParts:
    """The trained parts in a folder. Raises MembenchError if it holds none, and for a published checkpoint."""
    path = user_path(folder)
    refuse_published("checkpoint", folder, _classes(path / "config.json"))
    if not os.path.isdir(path):
        raise MembenchError(f"checkpoint {folder}: no such folder: name the one that `membench train-memory` wrote")
    if not (path / memories.STRUCTURE).exists():
        raise MembenchError(
            f"checkpoint {folder}: holds no finished parts: let `membench train-memory` end its training"
        )
    parts = memories.load(path)
    if not isinstance(parts, PoolParts):
        raise MembenchError(f"checkpoint {folder}: holds no parts of a memory pool: name the one of train-memory")
    return parts


def _classes(config: Path) -> list[str]:
    """The model type and the architectures that the configuration beside some weights names, if there is one."""
    try:
        said = json.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return (
        list(map(str, [said.get("model_type"), *(said.get("architectures") or ())])) if isinstance(said, dict) else []
    )
