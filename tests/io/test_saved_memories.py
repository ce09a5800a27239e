"""Memories saved before the classes moved (tests/io/saved_memories) load, and their digests are what they were."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from membench.io import memory_codec as memories
from membench.io.memory_codec import STORED_NAMES
from membench.keyvalues.pool_parts import PoolParts, load_parts

SAVED = Path(__file__).with_name("saved_memories")
DIGESTS: dict[str, str] = json.loads((SAVED / "digests.json").read_text())


@pytest.mark.parametrize("name", DIGESTS)
def test_a_memory_saved_before_the_move_loads_with_the_digest_that_it_had(name: str, tmp_path: Path) -> None:
    memory = memories.load(SAVED / name)
    assert memories.digest(memory) == DIGESTS[name]
    memories.save(memory, tmp_path)
    assert (tmp_path / "memory.json").read_bytes() == (SAVED / name / "memory.json").read_bytes()


def test_parts_that_train_memory_made_before_the_move_load() -> None:
    parts = load_parts(str(SAVED / "parts"))
    assert isinstance(parts, PoolParts)
    assert parts.recipe == {"new": 1, "chunk": 2, "store": "input"}


def test_every_stored_name_stands_for_a_class_that_is_there() -> None:
    texts = "".join((SAVED / name / "memory.json").read_text() for name in DIGESTS)
    assert all(stored in texts for stored in STORED_NAMES.values() if not stored.endswith(":Pair"))
    assert "membench.values" not in texts
