"""Rows as CSV are harmless to what opens them, and still say the same."""

from __future__ import annotations

import csv
import io

import pytest

from membench.formats.row_text import row_text


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=cmd|' /C calc'!A1", "'=cmd|' /C calc'!A1"), ("+1+1", "'+1+1"), ("-2+3", "'-2+3"), ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"), ("-5", "-5"), ("+3.5", "+3.5"), (-5, "-5"), ("a=b", "a=b"), ("", ""), (None, ""),
        ("\x1b[31mred\x07", "\ufffd[31mred\ufffd"), ("two\nlines", "two\nlines"), (["=a"], '["=a"]'), ("北京", "北京"),
    ],
)  # fmt: skip
def test_a_cell_of_csv_is_no_formula_and_steers_nothing(value: object, written: str) -> None:
    (row,) = csv.DictReader(io.StringIO(row_text([{"a": value, "b": 1}], "csv")))
    assert row == {"a": written, "b": "1"}
