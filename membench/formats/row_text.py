"""Rows for other programs: JSON with a row a line, or CSV."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

ROW_FORMS = ("json", "csv")
_STEERING = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_FORMULA = re.compile(r"[=+\-@\t\r](?![\d.,]*\Z)")  # what a spreadsheet would reckon, but for numbers with a sign


def row_text(rows: Sequence[Mapping[str, Any]], form: str) -> str:
    """The rows, all with the keys of the first, in one of ROW_FORMS; in CSV what is no plain value stands as JSON, and
    nothing steers a terminal or is a formula to a spreadsheet: a text that would be one begins with an apostrophe.
    """
    if form == "json":
        return "[" + ",\n".join(json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows) + "]\n"
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _cell(value) for key, value in row.items()})
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(value)
    if not isinstance(value, str):
        return value
    plain = _STEERING.sub("\ufffd", value)
    return f"'{plain}" if _FORMULA.match(plain) else plain
