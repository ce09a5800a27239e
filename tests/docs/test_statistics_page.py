"""benchmarks/statistics_page.py writes the tables of docs/statistics.md, which are those that the scripts make."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8")
with pytest.MonkeyPatch.context() as _patch:  # no longer than that: other libraries look for modules by name too
    _patch.syspath_prepend(str(ROOT / "benchmarks"))
    page = importlib.import_module("statistics_page")
    coverage = importlib.import_module("interval_coverage")


def test_every_table_of_numbers_drawn_has_a_block_and_all_else_stays() -> None:
    made = page.rewritten(PAGE, {name: f"table of {name}" for name in page.TABLES})
    assert [name for name in page.TABLES if f"\n\ntable of {name}\n\n<!-- end -->" in made] == list(page.TABLES)
    assert "| --: |" not in made  # no simulated table stands outside a block
    assert page.rewritten(PAGE, {}) == PAGE
    body = PAGE.split("<!-- simulated: coverage -->\n\n")[1].split("\n\n<!-- end -->")[0]
    assert page.rewritten(PAGE, {"coverage": body}) == PAGE


def test_what_stands_there_is_what_comes_out() -> None:
    lines = coverage.shares(2000, 1)
    assert all(next(lines) in PAGE for _ in range(3))


def test_a_wrong_name_is_refused() -> None:
    with pytest.raises(SystemExit, match="no table 'all': name errors or coverage"):
        page.main(["all"])
