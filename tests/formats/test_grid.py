"""Grids of texts on terminals of any width: no letter is lost, and no name is folded."""

from __future__ import annotations

import re

import pytest
from rich.cells import cell_len

from membench.formats.grid import text_grid

HEAD = ["name", "origin", "what it does", "state", "漢字"]
ROWS = [
    [
        "full-context",
        "membench",
        "puts every text before each question, as long as all of them fit",
        "ready",
        "",
    ],
    ["a-method-of-another-package", "acme", "nothing", "not fetched", "何千もの言葉"],
]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140])
def test_everything_is_there_within_the_width(width: int) -> None:
    shown = re.sub(r"\x1b\[[0-9;]*m", "", text_grid(HEAD, ROWS, width))
    assert max(map(cell_len, shown.splitlines())) <= width
    for word in " ".join(HEAD + ROWS[0] + ROWS[1]).split():
        if cell_len(word) <= (width - 4) // 3:
            assert re.search(rf"(^|\s){word}(\s|$)", shown, re.M), word


def test_a_word_that_is_too_long_is_folded_and_whole() -> None:
    shown = text_grid(["id", "reason"], [["7", "x" * 300]], 60)
    assert shown.count("x") == 300
    assert text_grid(["alone"], [], 60).split("\n")[0].strip("\x1b[0m1 ") == "alone"
