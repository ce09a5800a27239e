"""What the trials of a model found, kept on disk, so that each is paid for once on a machine.

A verdict holds for the files of a model, its precision, the device, the versions of torch, transformers and peft, and
membench's own code that reads and trains; whatever of these changes, the trial is made anew. Refusals are not kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from membench.errors import MembenchError
from membench.io import weights
from membench.io.atomic_files import make_folder, replace_file

_PACKAGES = ("torch", "transformers", "peft")
_CODE = ("reading", "model", "trained")  # packages of membench that say how a model is read and trained


def checkpoint_key(weights_hash: str, files_hash: str, dtype: str, device: str, own_code: bool) -> str:
    """What verdicts on a loaded model go by, 64 hex digits; `own_code` is whether code that it brings is run."""
    return _digest([weights_hash, files_hash, dtype, _device(device), own_code, _versions()])


def checkpoint_of(folder: Path, dtype: str, device: str, own_code: bool) -> str:
    """The key of a model that is loaded from a folder; "" for what is none, such as a hub id."""
    if not folder.is_dir():
        return ""
    return checkpoint_key(weights.weights_hash(folder), weights.files_hash(folder), dtype, device, own_code)


def kept(what: str, checkpoint: str) -> dict[str, Any] | None:
    """The verdict of this name on a checkpoint; None if there is none, or it is damaged."""
    if not checkpoint:
        return None
    try:
        stored = json.loads(_path(what, checkpoint).read_bytes())
        found = stored["found"]
        whole = isinstance(found, dict) and stored["sha256"] == _digest([what, checkpoint, found])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if whole else None


def keep(what: str, checkpoint: str, found: Mapping[str, Any]) -> None:
    """Keep a verdict, a JSON object; where it cannot be written, or no checkpoint is known, the trial is made again."""
    if not checkpoint:
        return
    path = _path(what, checkpoint)
    text = json.dumps({"found": found, "sha256": _digest([what, checkpoint, found])}, indent=1)
    with contextlib.suppress(MembenchError):
        make_folder(path.parent)
        replace_file(path, text.encode(), durable=False)


def _path(what: str, checkpoint: str) -> Path:
    return weights.home() / "verdicts" / f"{_digest([what, checkpoint])[:32]}.json"


def _device(name: str) -> str:
    if not name.startswith("cuda"):
        return name.partition(":")[0]
    import torch

    return f"cuda {torch.cuda.get_device_name(name)}" if torch.cuda.is_available() else name


@cache
def _versions() -> list[str]:
    """Of the libraries, and a hash of the code here: no one has to remember to raise a number."""
    out = []
    for name in _PACKAGES:
        try:
            out.append(f"{name} {version(name)}")
        except PackageNotFoundError:  # such as a torch that a system brings without its metadata
            out.append(name)
    house = Path(__file__).parent.parent
    files = (path for package in _CODE for path in sorted((house / package).glob("*.py")))
    return [*out, _digest([hashlib.sha256(path.read_bytes()).hexdigest() for path in files])]


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
