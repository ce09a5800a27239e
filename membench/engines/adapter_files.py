"""Adapters as files in peft's form, by which engines read them: a name and a number for each, by its content."""

from __future__ import annotations

import json
import shutil
import tempfile
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from membench.io.memory_codec import digest
from membench.values import Adapter


@dataclass(frozen=True)
class AdapterFile:
    """Where an adapter lies, and what it is called: `name` and `number` (from 1) are those of no other content."""

    name: str
    number: int
    folder: Path


class AdapterFiles:
    """A folder of its own, gone with this object. An engine caches what it read by name and number, so both are new
    for each content, and the same again for the same.
    """

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="membench-adapters-"))
        weakref.finalize(self, shutil.rmtree, self.home, ignore_errors=True)
        self._known: dict[str, AdapterFile] = {}

    def of(self, adapters: Iterable[Adapter | None]) -> dict[int, AdapterFile]:
        """The files of these adapters, by the `id` of each object; those of all others are gone from the disk."""
        found: dict[int, AdapterFile] = {}
        for adapter in {id(a): a for a in adapters if a is not None}.values():
            content = digest(adapter)
            number = len(self._known) + 1
            file = self._known.setdefault(content, AdapterFile(f"membench-{content}", number, self._place(content)))
            if not file.folder.exists():
                save(adapter, file.folder)
            found[id(adapter)] = file
        for file in set(self._known.values()) - set(found.values()):
            shutil.rmtree(file.folder, ignore_errors=True)  # an adapter takes megabytes, and a run makes many
        return found

    def _place(self, content: str) -> Path:
        return self.home / content


def rank_of(adapter: Adapter | None) -> int:
    """The rank of an adapter whose writes stand side by side; 0 of none."""
    if adapter is None:
        return 0
    names = {name for layer in adapter.layers for name in layer}
    return max((sum(len(part[name]["A"]) for part in adapter.layers if name in part) for name in names), default=0)


def save(adapter: Adapter, folder: Path) -> None:
    """Write adapter_config.json and adapter_model.safetensors: all its writes as one, the scale within B."""
    rank = rank_of(adapter)
    tensors: dict[str, Tensor] = {}
    for name in sorted({name for layer in adapter.layers for name in layer}):
        parts = [layer[name] for layer in adapter.layers if name in layer]
        down = torch.cat([part["A"] for part in parts])
        up = torch.cat([part["B"] for part in parts], dim=1) * adapter.scale
        lacking = rank - len(down)  # where not every write changed this module
        tensors[f"base_model.model.{name}.lora_A.weight"] = torch.nn.functional.pad(down, (0, 0, 0, lacking))
        tensors[f"base_model.model.{name}.lora_B.weight"] = torch.nn.functional.pad(up, (0, lacking)).contiguous()
    modules = sorted({name.rpartition(".")[2] for layer in adapter.layers for name in layer})
    config = {
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": rank, "lora_alpha": rank, "lora_dropout": 0.0,
        "bias": "none", "target_modules": modules, "base_model_name_or_path": None,
    }  # fmt: skip
    folder.mkdir(parents=True)
    save_file(tensors, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
