"""Which engine decodes a run's answers, as a run plans it: what it is called, and what of a request it allows."""

from __future__ import annotations

from membench.errors import MembenchError
from membench.io.extras import require

OWN, VLLM = "hf", "vllm"
ENGINES = (OWN, VLLM)


def engine_version() -> str:
    """What recipes call vLLM, found without importing it."""
    from importlib import metadata  # which the command line starts without

    return f"{VLLM} {metadata.version(VLLM)}"


def validate_engine(engine: str, model: str, device: str) -> None:
    """Refuse an engine that is unknown or not installed, and a model or device that it cannot play.

    All are as a user names them. Raises MembenchError.
    """
    if engine not in ENGINES:
        raise MembenchError(f"unknown engine {engine!r}: choose from {', '.join(ENGINES)}")
    if engine == OWN:
        return
    if model.startswith("openai:"):
        raise MembenchError(f"--engine {VLLM} is for a local model, and {model} is behind an endpoint")
    kind, _, number = device.partition(":")
    if kind == "mps" or number not in ("", "0"):
        raise MembenchError(f"--engine {VLLM} plays on the first GPU: --device cuda, not {device}")
    require(VLLM, f"--engine {VLLM}")
