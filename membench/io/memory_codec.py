"""A memory as plain data: its bytes, its hash, and how it is saved and loaded (safetensors and JSON, never pickle).

Plain data is tensors, arrays, strings, numbers, None, and tuples, lists, dicts and frozen dataclasses of them; nothing
that is only like them, such as a namedtuple or a number of NumPy's, as it would come back as something else.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as serialise
from torch import Tensor

from membench.errors import MembenchError
from membench.io.atomic_files import replace_file
from membench.text.halves import has_half

STRUCTURE = "memory.json"
DEEPEST, LONGEST = 200, 4096  # levels of a memory, bits of a whole number
_SCALARS = (bool, int, float, str)
_PLAIN = (*_SCALARS, tuple, list, dict, Tensor, np.ndarray)

# Where a class stood when memories that are still in use were saved: its name in files and digests, which stay valid.
STORED_NAMES = {
    "membench.values:Adapter": "membench.api:Adapter",
    "membench.values:Prefix": "membench.api:Prefix",
    "membench.values:Pair": "membench.api:Pair",
    "membench.trained.replay:ReplayedSentence": "membench.rehearsal:Kept",
    "membench.trained.replay:Rehearsed": "membench.rehearsal:Rehearsed",
    "membench.keyvalues.infllm:Stream": "membench.infllm:Stream",
    "membench.keyvalues.cartridge:Cartridge": "membench.cartridges:Cartridge",
    "membench.keyvalues.pool:Pool": "membench.pool:Pool",
    "membench.keyvalues.pool_parts:PoolParts": "membench.pool_parts:PoolParts",
    "membench.retrieval.dense:Embedded": "membench.methods.dpr:Embedded",
    "membench.retrieval.summary_tree:SummaryTree": "membench.summary_tree:SummaryTree",
}
_TENSORS = re.compile(r"[0-9a-f]{16}\.safetensors")
_HOMES = {stored: home for home, stored in STORED_NAMES.items()}


def flatten(memory: Any) -> tuple[Any, dict[str, Tensor]]:
    """The memory's structure as JSON, and its tensors by name. Raises MembenchError for what is no plain data."""
    tensors: dict[str, Tensor] = {}

    def walk(value: Any, path: str) -> Any:
        kind = type(value)
        if value is None or kind in _SCALARS:
            return _scalar(value, path)
        if path.count(".") > DEEPEST:
            raise MembenchError(f"a memory holds no more than {DEEPEST} things within one another: is it in itself?")
        if kind is Tensor or kind is np.ndarray:
            tensors[path] = _tensor(value, path)
            return {"$": "array" if kind is np.ndarray else "tensor", "name": path}
        if kind is tuple or kind is list:
            return {"$": kind.__name__, "items": [walk(item, f"{path}.{i}") for i, item in enumerate(value)]}
        if kind is dict:
            for key in value:
                if key is not None and type(key) not in _SCALARS:
                    raise MembenchError(f"a memory's keys are texts and numbers, not {type(key).__name__} (at {path})")
                _scalar(key, path)
            return {"$": "dict", "items": [[k, walk(v, f"{path}.{i}")] for i, (k, v) in enumerate(value.items())]}
        if is_dataclass(value) and not isinstance(value, type):
            name = f"{type(value).__module__}:{type(value).__qualname__}"
            items = [[f.name, walk(getattr(value, f.name), f"{path}.{f.name}")] for f in fields(value)]
            return {"$": "dataclass", "type": STORED_NAMES.get(name, name), "items": items}
        like = next((f": make it a {plain.__name__}" for plain in _PLAIN if isinstance(value, plain)), "")
        raise MembenchError(f"a memory holds plain data only, not {kind.__name__} (at {path}){like}")

    return walk(memory, "m"), tensors


def _scalar(value: Any, path: str) -> Any:
    """The value. Raises MembenchError for one that JSON does not bring back."""
    if type(value) is int and value.bit_length() > LONGEST:
        raise MembenchError(f"a memory holds whole numbers of at most {LONGEST} bits (at {path}): make it a tensor")
    if type(value) is str and has_half(value):
        raise MembenchError(f"a memory holds whole characters only, and no lone surrogates (at {path})")
    return value


def _tensor(value: Tensor | np.ndarray[Any, Any], path: str) -> Tensor:
    """On the CPU and contiguous. Raises MembenchError for an array of something else than numbers."""
    if isinstance(value, Tensor):
        if value.layout is not torch.strided or value.is_meta or value.is_quantized:
            kind = "quantised" if value.is_quantized else "meta" if value.is_meta else str(value.layout)
            raise MembenchError(f"a memory holds plain tensors only, not a {kind} one (at {path})")
        return value.detach().cpu().resolve_conj().resolve_neg().contiguous()
    if not value.dtype.isnative:
        raise MembenchError(f"a memory holds arrays in this machine's byte order only, not {value.dtype} (at {path})")
    try:
        return torch.from_numpy(np.ascontiguousarray(value).reshape(value.shape))
    except TypeError:
        raise MembenchError(f"a memory holds arrays of numbers only, not of {value.dtype} (at {path})") from None


def nbytes(memory: Any) -> int:
    """Bytes that the memory holds: tensors by their elements, strings as UTF-8, numbers as 8."""
    if memory is None:
        return 0
    if isinstance(memory, Tensor):
        return memory.numel() * memory.element_size()
    if isinstance(memory, np.ndarray):
        return int(memory.size * memory.itemsize)
    if isinstance(memory, str):
        return len(memory.encode())
    if isinstance(memory, bool | int | float):
        return 8
    if isinstance(memory, Mapping):
        return sum(nbytes(value) for value in memory.values())
    if is_dataclass(memory):
        return sum(nbytes(getattr(memory, f.name)) for f in fields(memory))
    return sum(nbytes(item) for item in memory)


def digest(memory: Any) -> str:
    """A hash of all that the memory holds."""
    return _digest(*flatten(memory))


def _digest(structure: Any, tensors: Mapping[str, Tensor]) -> str:
    total = hashlib.sha256(json.dumps(structure).encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        total.update(tensor.reshape(-1).view(torch.uint8).numpy().data if tensor.numel() else b"")
    return total.hexdigest()[:16]


def equal(one: Any, other: Any) -> bool:
    """Whether two memories hold the same, bit for bit."""
    return digest(one) == digest(other)


def save(memory: Any, folder: Path) -> None:
    """Write the memory into a folder, in place of the one that stood there, by one rename of its structure file.

    Tensors lie in a file named after their hash, so that the structure file always points to complete tensors. Nothing
    waits for the disk: whoever loads a memory compares its digest. Raises DiskFull.
    """
    structure, tensors = flatten(memory)
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{digest(memory)}.safetensors"
    before = {path for path in folder.glob("*.safetensors") if _TENSORS.fullmatch(path.name) and path.name != name}
    # copies, as the file format refuses tensors that share their storage
    replace_file(folder / name, serialise({key: tensor.clone() for key, tensor in tensors.items()}), durable=False)
    text = json.dumps({"tensors": name, "structure": structure})
    replace_file(folder / STRUCTURE, text.encode(), durable=False)
    for path in before:
        path.unlink()


def load(folder: Path, owners: Iterable[type] = (), known: str | None = None) -> Any:
    """The memory saved in a folder. Dataclasses are rebuilt that are membench's own or those of `owners`, the classes
    of the method whose memory it is and of its parts: a file must not choose what is imported.

    `known` is the digest that the memory must have; it is compared before anything is imported. Raises MembenchError if
    there is no memory, or it is damaged, another one, or holds what is not rebuilt.
    """
    path = folder / STRUCTURE
    try:
        record = json.loads(path.read_bytes())
        if not _TENSORS.fullmatch(record["tensors"]):
            raise ValueError(f"{record['tensors']!r} is no name of its tensors")
        tensors = load_file(folder / record["tensors"])
        if known is not None and _digest(record["structure"], tensors) != known:
            raise ValueError("it is not the memory that was saved last")
        return _build(record["structure"], tensors, _packages(owners))
    except (
        OSError, ValueError, LookupError, TypeError, AttributeError, ImportError, RecursionError, SafetensorError,
    ) as error:  # fmt: skip
        raise MembenchError(f"{path} holds no memory that can be loaded: {error}") from error


def _packages(owners: Iterable[type]) -> frozenset[str]:
    """The packages whose dataclasses a memory may hold: membench, and those that a method's classes are of."""
    homes = (base.__module__ for owner in owners for base in owner.__mro__ if is_dataclass(base))
    return frozenset({"membench", *(home.partition(".")[0] for home in homes)})


def _build(value: Any, tensors: Mapping[str, Tensor], packages: frozenset[str]) -> Any:
    if not isinstance(value, dict):
        return value
    kind = value["$"]
    if kind in ("tensor", "array"):
        tensor = tensors[value["name"]]
        return tensor if kind == "tensor" else tensor.numpy()
    if kind in ("tuple", "list"):
        items = [_build(item, tensors, packages) for item in value["items"]]
        return tuple(items) if kind == "tuple" else items
    pairs = {key: _build(item, tensors, packages) for key, item in value["items"]}
    if kind == "dict":
        return pairs
    return _dataclass(str(value["type"]), packages)(**pairs)


def _dataclass(stored: str, packages: frozenset[str]) -> type:
    """The class that a name in a file stands for. Raises TypeError, before any import, for one of another package."""
    module, _, name = _HOMES.get(stored, stored).partition(":")
    if module.partition(".")[0] not in packages or module.endswith(".__main__"):
        raise TypeError(f"{stored} is no dataclass of membench or of the method")
    cls: Any = getattr(importlib.import_module(module), name)
    if not (isinstance(cls, type) and is_dataclass(cls) and cls.__module__ == module):
        raise TypeError(f"{stored} is no dataclass of membench or of the method")
    return cls
