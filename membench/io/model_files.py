"""What a model's folder holds beside its weights: all of it that can change what the model reads or answers."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from membench.errors import MembenchError
from membench.io.file_hashes import file_hash, json_hash, state_of

# Weights that are never loaded (pickles, other programs' formats), pictures, and what Python leaves.
_UNREAD = frozenset(
    {
        ".bin", ".pt", ".pth", ".ckpt", ".pkl", ".h5", ".msgpack", ".ot", ".onnx", ".onnx_data", ".gguf", ".tflite",
        ".mlmodel", ".xml", ".md", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".pdf", ".pyc", ".lock", ".part",
    }
)  # fmt: skip
_PAPERS = ("license", "notice", "readme", "citation", "use_policy")  # how such files' names begin


def model_files(folder: Path) -> Iterator[Path]:
    """The files beside the weights, sorted by their path, those of sub-folders included; a sub-folder's weights too.

    Left out are hidden files, documents, pictures and weights in formats that are never loaded.
    """
    found: list[Path] = []
    seen: set[str] = set()  # real folders, so that a link to a folder above ends
    for place, folders, names in os.walk(folder, followlinks=True):
        inside = place != str(folder)
        folders[:] = [name for name in folders if not name.startswith((".", "__pycache__"))]
        if os.path.realpath(place) in seen:
            folders.clear()
            continue
        seen.add(os.path.realpath(place))
        found += [Path(place, name) for name in names if _read(name, inside)]
    yield from sorted(path for path in found if path.is_file())


def folder_state(folder: Path) -> tuple[tuple[str, ...], ...]:
    """A key that changes whenever a file of a model's folder does, weights included."""
    return tuple(state_of(path) for path in (*sorted(folder.glob("*.safetensors")), *model_files(folder)))


def _read(name: str, inside: bool) -> bool:
    """Whether what stands in a file of this name, `inside` a sub-folder or not, can change how the model reads."""
    lower = name.lower()
    suffix = Path(lower).suffix
    weights = suffix == ".safetensors" and not inside
    return not (weights or suffix in _UNREAD or lower.startswith((".", *_PAPERS)))


def model_files_hash(folder: Path, notes: Path) -> str:
    """The sha256 of the names and contents of `model_files`, 64 hex digits; `notes` keeps those of large files.

    JSON counts by what it says, so that another version of the program that saved a model changes nothing by that.
    Raises MembenchError for a file that cannot be read.
    """
    total = hashlib.sha256()
    for path in model_files(folder):
        try:
            digest = json_hash(path, notes) if path.suffix == ".json" else file_hash(path, notes)
        except OSError as error:
            raise MembenchError(f"{path}: cannot be read: {error.strerror}") from error
        total.update(f"{path.relative_to(folder).as_posix()} {digest}\n".encode())
    return total.hexdigest()
