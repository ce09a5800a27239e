"""What this machine has: versions, devices, caches, broken plug-ins, and how to get what is missing."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from importlib.util import find_spec
from typing import Any

from membench.io import weights
from membench.io.extras import EXTRAS, command
from membench.plugins import registry

PACKAGES = (
    "torch", "transformers", "peft", "tokenizers", "safetensors", "gguf", "huggingface-hub", "datasets", "httpx2",
    "rank-bm25", "faiss-cpu", "sentence-transformers", "scikit-learn", "numpy", "scipy", "rich", "click",
)  # fmt: skip


def report() -> dict[str, Any]:
    """All that `membench doctor` says, as plain data."""
    return {
        "versions": {"membench": metadata.version("membench"), "python": platform.python_version(), **_versions()},
        "machine": f"{platform.system()} {platform.machine()}",
        "devices": _devices(),
        "caches": {"membench": str(weights.home()), "hub": _hub_cache()},
        "models": {name: "ready" if weights.fetched(name) else "not fetched" for name in weights.packaged()},
        "missing": _missing(),
    }


def _versions() -> dict[str, str | None]:
    out: dict[str, str | None] = {}
    for name in PACKAGES:
        try:
            out[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            out[name] = None
    return out


def _devices() -> list[dict[str, Any]]:
    import torch

    cpu = {
        "device": "cpu",
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "bfloat16": torch.ops.mkldnn._is_mkldnn_bf16_supported(),
    }
    gpus = [
        {
            "device": f"cuda:{i}",
            "name": torch.cuda.get_device_name(i),
            "bytes": torch.cuda.get_device_properties(i).total_memory,
            "bfloat16": torch.cuda.is_bf16_supported(),
        }
        for i in range(torch.cuda.device_count())
    ]
    mps = [{"device": "mps", "bfloat16": True}] if torch.backends.mps.is_available() else []
    return [cpu, *gpus, *mps]


def _hub_cache() -> str:
    from huggingface_hub.constants import HF_HUB_CACHE

    return str(HF_HUB_CACHE)


def _missing() -> list[str]:
    """What is missing or broken, one line each, with what to do about it."""
    lines = [f"{name} is not installed: run `pip install {name}`" for name, at in _versions().items() if at is None]
    lines += [f"{extra} is not installed: run `{command(extra)}`" for extra, it in EXTRAS.items() if not find_spec(it)]
    lines += [
        f"model {name} is not in the cache: run `membench doctor --fetch {name}`"
        for name in weights.packaged()
        if not weights.fetched(name)
    ]
    lines += [entry.error for kind in registry.CONTRACTS for entry in registry.listing(kind) if entry.error]
    return lines
