"""The versions that a result may depend on beside its recipe."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import Any

import torch

PACKAGES = (
    "torch", "transformers", "peft", "rank-bm25", "faiss-cpu", "sentence-transformers", "scikit-learn", "umap-learn",
    "numpy",
)  # fmt: skip


def versions() -> dict[str, Any]:
    """Of this program, the interpreter, the machine and the packages that compute."""
    return {
        "membench": metadata.version("membench"),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "threads": torch.get_num_threads(),
        **{name: metadata.version(name) for name in PACKAGES},
    }
