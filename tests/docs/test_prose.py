"""What prose quotes from the stored runs stands in a table that is made from them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("reference", "findings", "experiment", "combined", "composition", "deletion", "conversation")
BLOCK = re.compile(r"^<!-- (?:table|experiment): .*?^<!-- end -->$", re.DOTALL | re.MULTILINE)
QUOTED = re.compile(r"\d\.\d\d (?:±\d\.\d\d|\[-?\d\.\d\d, -?\d\.\d\d\])")


def plain(text: str) -> str:
    return " ".join(text.replace("\\", "").split())


def made() -> str:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    found = plain(" ".join(block for page in pages for block in BLOCK.findall(page.read_text("utf-8"))))
    return re.sub(r" (\.\d\d)–(\.\d\d)", r" [0\1, 0\2]", found)  # as the short table writes intervals


@pytest.mark.parametrize("page", PAGES)
def test_an_interval_in_prose_is_that_of_a_table(page: str) -> None:
    tables = made()
    prose = plain(BLOCK.sub(" ", (ROOT / "docs" / f"{page}.md").read_text("utf-8")))
    assert [quoted for quoted in QUOTED.findall(prose) if quoted not in tables] == []
