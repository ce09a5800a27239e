"""Damaged results, recipes and records: each command says so in a line, of that cell alone, and writes nothing over."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.damage import sound_root, troubles

CASES = 200  # benchmarks/damage.py plays as many as one likes


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sound_root(tmp_path_factory.mktemp("damage") / "pristine")


@pytest.mark.parametrize("part", range(5))
def test_no_command_stumbles_over_damage(pristine: Path, tmp_path: Path, part: int) -> None:
    found = [t for number in range(part, CASES, 5) for t in troubles(pristine, tmp_path, number, every=False)]
    assert found == []
