"""What every test on the real default model begins with."""

from __future__ import annotations

import pytest

from membench.io import weights
from membench.model.llm import LLM


@pytest.fixture(scope="module")
def smol() -> LLM:
    """The default model, fetched if need be; each file has one of its own."""
    return LLM.load(weights.resolve("smollm2-135m"), name="smollm2-135m", dtype="float32")
