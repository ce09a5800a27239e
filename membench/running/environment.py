"""What a result may depend on beside its recipe: code, packages, machine, threads."""

from __future__ import annotations

import os
import platform
import subprocess
from functools import lru_cache
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import torch

PACKAGES = (
    "torch", "transformers", "peft", "tokenizers", "safetensors", "rank-bm25", "faiss-cpu", "sentence-transformers",
    "scikit-learn", "umap-learn", "numpy", "scipy",
)  # fmt: skip


def versions(device: str) -> dict[str, Any]:
    """The record of reproduction that stands in a result; memory in bytes, None where the system does not tell.

    `device` is where the model stood; `gpu` is named if there is one, whether or not it was that.
    """
    return {
        **_membench(),
        **source(),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_bytes": _memory(),
        "device": device,
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "threads": torch.get_num_threads(),
        **_packages(),
    }


@lru_cache(maxsize=1)
def _membench() -> dict[str, str]:
    return {"membench": metadata.version("membench")}


@lru_cache(maxsize=1)
def _packages() -> dict[str, str]:
    """Of each package, once for a process: to find them takes longer than to play a small cell."""
    return {name: metadata.version(name) for name in PACKAGES}


@lru_cache(maxsize=1)
def source(root: Path | None = None) -> dict[str, Any]:
    """`commit` and `dirty` of membench's own source tree; empty for an installed package, whose version says it all."""
    root = root or Path(str(resources.files("membench"))).parent
    if not (root / ".git").exists() or not (root / "pyproject.toml").exists():
        return {}
    commit = _git(root, "rev-parse", "HEAD")
    state = _git(root, "status", "--porcelain", "--", "membench", "methods", "tasks")
    return {} if commit is None or state is None else {"commit": commit, "dirty": bool(state)}


def _git(root: Path, *arguments: str) -> str | None:
    """What git says; None without git."""
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


@lru_cache(maxsize=1)
def _cpu() -> str | None:
    """The processor's name, as Linux tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or None)


def _memory() -> int | None:
    known = {"SC_PAGE_SIZE", "SC_PHYS_PAGES"} <= os.sysconf_names.keys()
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if known else None
