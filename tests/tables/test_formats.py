"""One table in every format: what is escaped, that columns balance, that the same rows stand in JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

from membench.errors import MembenchError
from membench.tables.leaderboard import rows, tables
from membench.tables.render import render
from tests.support.leaderboard_cells import CELLS, SCORES, cell

HARD = [*CELLS, cell("a_b|c*", "failed", data="worlds"), cell("ft-s", settings={"targets": "50%_&#{}~^$\\"})]


def test_markdown_is_a_table_with_its_marks_escaped() -> None:
    text = render(tables(HARD), "md")
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert r"a\_b\|c\*" in text
    widths = {len(re.findall(r"(?<!\\)\|", line)) for line in lines[:6]}
    assert len(widths) == 1
    assert "it broke" in text


def test_latex_escapes_and_balances() -> None:
    text = render(tables(HARD), "latex")
    assert r"50\%\_\&\#\{\}\textasciitilde{}\textasciicircum{}\$\textbackslash{}" in text
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == text.count(r"\end{table}") == 2
    bodies = re.findall(r"\\begin\{tabular\}\{(l r*|lr*)\}(.*?)\\end\{tabular\}", text, flags=re.S)
    for columns, body in bodies:
        lines = [line for line in body.splitlines() if line.endswith(r"\\")]
        assert {len(re.findall(r"(?<!\\)&", line)) for line in lines} == {len(columns) - 1}
    assert text.isascii()


def test_latex_tells_minus_dash_and_option_apart() -> None:
    scores = {**SCORES, "margin/all": (-1.5, -1.5, -1.5, -1.5)}
    text = render(tables([*CELLS, cell("[x]* --a", scores=scores)], against="ft-c"), "latex")
    assert "$-$1.50" in text
    assert "{[}x]{*} -{}-a" in text
    assert not re.search(r"(?<![\w$])-\d", text)


def test_json_and_csv_hold_the_same_rows() -> None:
    found = tables(HARD)
    parsed = json.loads(render(found, "json"))
    table = list(csv.DictReader(io.StringIO(render(found, "csv"))))
    assert len(parsed) == len(table) > 5
    assert [r["method"] for r in parsed] == [r["method"] for r in table]
    assert json.loads(table[-1]["settings"]) == parsed[-1]["settings"]
    assert parsed == rows(HARD)


def test_rich_shows_every_column_within_the_width() -> None:
    text = re.sub(r"\x1b\[[0-9;]*m", "", render(tables(HARD), "rich", width=160))
    assert max(map(len, text.splitlines())) <= 160
    assert "0.40 †" in text
    assert "† fewer than 5 contexts, too few for an interval, or than 20 questions" in text
    assert "3.69 MB" in text
    assert "it broke" in text


def test_nothing_stored_is_nothing_printed_and_formats_are_known() -> None:
    assert [render([], form) for form in ("md", "latex", "rich", "json")] == ["", "", "", "[]\n"]
    with pytest.raises(MembenchError, match="did you mean 'latex'"):
        render([], "latx")
