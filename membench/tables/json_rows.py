"""What the JSON and csv formats say of an entry: what all its rows share, and the numbers of one metric."""

from __future__ import annotations

from typing import Any

from membench.statistics.ratios import ratio_method
from membench.tables.catalogue import COSTS
from membench.tables.entry import Entry
from membench.tables.formatting import marked


def head(entry: Entry) -> dict[str, Any]:
    """What all rows of this entry share."""
    return {
        "method": entry.method, "label": entry.label, "settings": dict(entry.settings),
        "seeds": list(entry.seeds), "mark": entry.mark,
        "contexts": entry.contexts, "questions": entry.questions, "group": entry.standing and entry.standing.group,
        **{name: entry.cost(name) for name in COSTS},
        "leak_rate": entry.leak, "needed": entry.needed and list(entry.needed), "front": entry.front,
        "coverage": entry.coverage, "status": entry.status, "reason": entry.reason, "cells": list(entry.ids),
    }  # fmt: skip


def numbers(entry: Entry, name: str | None) -> dict[str, Any]:
    """What a row says of one metric; all None for none. Placebo and gain stand with the subset "all" alone."""
    metric, _, subset = (name or "").partition("/")
    whole = name is not None and subset == "all"
    score = entry.interval(name) if name else None
    recovery = entry.recovery(name) if name else None
    gain = entry.gain(metric) if whole else None
    spec = entry.spec(name) if name else None
    return {
        "metric": metric or None, "subset": subset or ("all" if name else None),
        "few": bool(name) and marked("", entry, name or "") != "",
        "unit": spec and spec.unit, "higher_is_better": spec and spec.higher_is_better,
        "score": score and score.value, "ci_low": score and score.low, "ci_high": score and score.high,
        "floor": entry.yardstick(entry.floor, name) if name else None,
        "reference": entry.yardstick(entry.reference, name) if name else None,
        "placebo": entry.value(f"{metric}/placebo") if whole else None,
        "recovery": recovery and recovery.value,
        "recovery_by": ratio_method(len(entry.seeds)) if recovery and name else None,
        "recovery_low": recovery and recovery.low, "recovery_high": recovery and recovery.high,
        "knowledge_gain": gain and gain.value,
        "knowledge_gain_low": gain and gain.low, "knowledge_gain_high": gain and gain.high,
        "curve": entry.curve(name) if name else None,
        **_comparison(entry, name), **_halved(entry, name),
    }  # fmt: skip


def _comparison(entry: Entry, name: str | None) -> dict[str, Any]:
    """The standing, on the row of the metric that it is by."""
    s = entry.standing if entry.standing and entry.standing.metric == name else None
    return {
        "versus": s and s.versus, "difference": s and s.difference,
        "difference_low": s and s.low, "difference_high": s and s.high,
        "p_holm": s and s.p, "mde": s and s.mde, "resolved": s and s.resolved,
    }  # fmt: skip


def _halved(entry: Entry, name: str | None) -> dict[str, Any]:
    """The half-life, on the row of the matrix that it is from; beyond `half_life_seen` where it is None there."""
    h = entry.half_life if name == "matrix:contains" else None
    return {
        "half_life": h and h.value, "half_life_low": h and h.low, "half_life_high": h and h.high,
        "half_life_seen": h and h.seen, "half_life_by": h and h.by,
    }  # fmt: skip
