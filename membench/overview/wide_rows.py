"""A row a method, with every number of it: what `--wide` exports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from membench.overview.lines import Line, Overview
from membench.overview.names import name
from membench.tables.catalogue import COSTS
from membench.tables.control_rows import PREFIX


def wide_rows(made: Sequence[Overview]) -> list[dict[str, Any]]:
    """A row for each line of these short tables; all have the same keys, None where a line has no such number."""
    found = [wide(line, overview) for overview in made for line in overview.lines]
    keys = dict.fromkeys(key for row in found for key in row)
    return [{key: row.get(key) for key in keys} for row in found]


def wide(line: Line, overview: Overview) -> dict[str, Any]:
    """A line of a short table with every number of its tables: "TASK.METRIC", its interval's ends, and "TASK.COST"."""
    shared, entry = overview.tables[overview.lead].recipe, line.first
    out: dict[str, Any] = {
        "data": shared["data"], "model": shared["model"], "method": entry.method, "label": name(line, "label"),
        "settings": dict(entry.settings), "seeds": list(entry.seeds), "mark": entry.mark, "sign": line.sign,
    }  # fmt: skip
    for k, found in sorted(line.entries.items()):
        task = overview.tables[k].recipe["task"]
        out |= {f"{task}.status": found.status, f"{task}.label": found.label, f"{task}.cells": list(found.ids)}
        for metric in (metric for metric in found.names if not metric.startswith(PREFIX)):
            ends = found.interval(metric)
            low, high = (ends.low, ends.high) if ends else (None, None)
            values = {"": found.value(metric), ".low": low, ".high": high}
            out |= {f"{task}.{metric}{end}": value for end, value in values.items()}
        out |= {f"{task}.{cost}": found.cost(cost) for cost in COSTS}
    return out
