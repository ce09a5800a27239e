"""Rows for other programs: JSON with a row a line, or CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

ROW_FORMS = ("json", "csv")


def row_text(rows: Sequence[Mapping[str, Any]], form: str) -> str:
    """The rows, all with the keys of the first, in one of ROW_FORMS; in CSV what is no plain value stands as JSON."""
    if form == "json":
        return "[" + ",\n".join(json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows) + "]\n"
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({k: json.dumps(v) if isinstance(v, (dict, list)) else v for k, v in row.items()})
    return out.getvalue()
