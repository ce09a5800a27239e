"""The trained parts of a memory pool: an adapter for writing, one for reading, and what they were trained for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from membench import memory as memories
from membench.api import Adapter
from membench.errors import MembenchError

if TYPE_CHECKING:
    from membench.llm import LLM

_PUBLISHED = re.compile(r"YuWangX/(memoryllm|mplus)", re.IGNORECASE)  # hub ids
_CLASSES = re.compile(r"memoryllm|mplus", re.IGNORECASE)  # what such a checkpoint's configuration names
_WHY = (
    "the published MemoryLLM and M+ checkpoints run under transformers 4.4x alone: train parts for a base model with "
    "`membench train-memory`"
)


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
    path = Path(folder).expanduser()
    if not path.is_dir():
        if _PUBLISHED.match(folder):
            raise MembenchError(f"checkpoint {folder}: {_WHY}")
        raise MembenchError(f"checkpoint {folder}: no such folder: name the one that `membench train-memory` wrote")
    if _says_published(path / "config.json"):
        raise MembenchError(f"checkpoint {folder}: {_WHY}")
    parts = memories.load(path)
    if not isinstance(parts, PoolParts):
        raise MembenchError(f"checkpoint {folder}: holds no parts of a memory pool: name the one of train-memory")
    return parts


def refuse_published(llm: LLM) -> None:
    """Refuse a base model that is itself such a checkpoint: its memory would be left out. Raises MembenchError."""
    classes = getattr(llm.model.config, "architectures", None) or ()
    if _PUBLISHED.match(llm.name) or any(map(_CLASSES.search, classes)):
        raise MembenchError(f"model {llm.name}: {_WHY}")


def _says_published(config: Path) -> bool:
    """Whether the configuration beside some weights names one of the published classes."""
    try:
        said = json.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(said, dict) and bool(
        _CLASSES.search(" ".join(map(str, [said.get("model_type"), *(said.get("architectures") or ())])))
    )
