"""From the records of Drift steps to metrics; pure.

- `drift_ppl/all`: perplexity with the memory / without it, on generic text: exp of the difference of the mean negative
  log-likelihoods a token; 1 is no drift.
- `drift_kl/all`: KL(without ‖ with), nats per token.
- `flips/VIEW`: of the items that are right without the memory, the share that is wrong with it; `repairs/VIEW`: of
  those that are wrong without, the share that is right with it. VIEW is `all` or a test set.

Each is of the last Drift step of every episode; its contexts are what was written last. Where an episode has several
steps, `curve` has a value each (of the only episode).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from membench.api import Metric
from membench.views import mean_of

Record = Mapping[str, Any]


def drift_metrics(records: Sequence[Record]) -> dict[str, Metric]:
    """The metrics of a cell's records; none where it has no Drift step."""
    steps: dict[str, list[Record]] = {}
    written: dict[str, str] = {}
    for record in records:
        if record["type"] == "write":
            written[record["episode"]] = record["contexts"][-1]
        elif record["type"] == "drift":
            steps.setdefault(record["episode"], []).append(record)
    measures: dict[str, Callable[[Record], float | None]] = {"drift_ppl/all": _perplexity, "drift_kl/all": _divergence}
    suites = dict.fromkeys(name for those in steps.values() for name in those[-1]["items"])
    for view in ("all", *suites) if steps else ():
        names = tuple(suites) if view == "all" else (view,)
        for name, before in (("flips", 1), ("repairs", 0)):
            measures[f"{name}/{view}"] = partial(_turned, suites=names, before=before)
    found = {name: _metric(steps, written, measure) for name, measure in measures.items()}
    return {name: metric for name, metric in found.items() if metric is not None}


def _metric(
    steps: Mapping[str, Sequence[Record]], written: Mapping[str, str], measure: Callable[[Record], float | None]
) -> Metric | None:
    last = {written.get(episode, episode): measure(those[-1]) for episode, those in steps.items()}
    known = {context: value for context, value in last.items() if value is not None}
    if not known:
        return None
    (those, *others) = steps.values()
    curve = [measure(record) for record in those] if not others and len(those) > 1 else []
    whole = mean_of(known)
    return Metric(whole.value, whole.contexts, tuple(value for value in curve if value is not None))


def _perplexity(record: Record) -> float:
    """Of the mean over all tokens of all texts."""
    tokens = sum(row[0] for row in record["texts"])
    return math.exp(sum(row[0] * (row[2] - row[1]) for row in record["texts"]) / tokens)


def _divergence(record: Record) -> float:
    tokens: float = sum(row[0] for row in record["texts"])
    return float(sum(row[0] * row[3] for row in record["texts"]) / tokens)


def _turned(record: Record, suites: Sequence[str], before: int) -> float | None:
    """Of the items that were right (1) or wrong (0) before, the share that no longer is; None if there are none."""
    rows = [now for name in suites for then, now in record["items"][name] if then == before]
    return sum(now != before for now in rows) / len(rows) if rows else None
