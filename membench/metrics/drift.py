"""From the records of Drift steps to metrics; pure.

- `drift_ppl/all`: perplexity with the memory / without it, on generic text: exp of the difference of the mean negative
  log-likelihoods a token; 1 is no drift.
- `drift_kl/all`: KL(without ‖ with), nats per token.
- `flips/VIEW`: of the items that are right without the memory, the share that is wrong with it; `repairs/VIEW`: of
  those that are wrong without, the share that is right with it. VIEW is `all` or a test set.
- `suite_acc/VIEW`: share of all items that are right with the memory, `suite_acc_base/VIEW`: without it.

Each is the mean over episodes of what their last Drift steps give. The texts and items are a sample, the same at every
step, so they are what an interval is over: `contexts` has a value for each text ("text 3") or item ("common 5"), the
mean over episodes of its linearised part. What differs from write to write is in no interval. Where an episode has
several steps, `curve` has a value each (of the only episode).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import fmean
from typing import Any

from membench.values import Metric, MetricSpec
from membench.views import DETAIL, RISK, mean_of, ratio_of_sums

Record = Mapping[str, Any]
Measure = Callable[[Record], Metric | None]  # of one step, with its values by text or item

METRICS = (
    MetricSpec(
        "drift_ppl",
        "drift_ppl",
        "perplexity of held-out generic text with the memory / without; 1: none; ± over the texts",
        unit="ratio",
        higher_is_better=False,
        section=RISK,
    ),
    MetricSpec(
        "drift_kl",
        "drift_kl",
        "KL of the model without memory to the one with it, same texts, nats per token",
        unit="nats a token",
        higher_is_better=False,
        section=RISK,
        brief=6,
    ),
    MetricSpec(
        "flips",
        "flips",
        "of test items right without the memory, the share that its presence turns wrong, in-context too; ± over items",
        higher_is_better=False,
        section=RISK,
        brief=7,
    ),
    MetricSpec(
        "repairs",
        "repairs",
        "of test items wrong without the memory, the share that is right with it",
        section=DETAIL,
    ),
    MetricSpec(
        "suite_acc",
        "suite acc",
        "share of test items that are right with the memory (in brackets: without; 1 where only known items are kept)",
        section=DETAIL,
        base="suite_acc_base/all",
    ),
    MetricSpec("suite_acc_base"),
)


def drift_metrics(records: Sequence[Record]) -> dict[str, Metric]:
    """The metrics of a cell's records; none where it has no Drift step."""
    steps: dict[str, list[Record]] = {}
    for record in records:
        if record["type"] == "drift":
            steps.setdefault(record["episode"], []).append(record)
    measures: dict[str, Measure] = {"drift_ppl/all": _perplexity, "drift_kl/all": _divergence}
    suites = dict.fromkeys(name for those in steps.values() for name in those[-1]["items"])
    for view in ("all", *suites) if steps else ():
        names = tuple(suites) if view == "all" else (view,)
        for name, before in (("flips", 1), ("repairs", 0)):
            measures[f"{name}/{view}"] = partial(_turned, suites=names, before=before)
        for name, side in (("suite_acc", 1), ("suite_acc_base", 0)):
            measures[f"{name}/{view}"] = partial(_right, suites=names, side=side)
    found = {name: _metric(tuple(steps.values()), measure) for name, measure in measures.items()}
    return {name: metric for name, metric in found.items() if metric is not None}


def _metric(episodes: Sequence[Sequence[Record]], measure: Measure) -> Metric | None:
    """The last steps' mean, text by text or item by item (every step reads the same ones), and the curve of one."""
    last = [metric for steps in episodes if (metric := measure(steps[-1]))]
    if not last:
        return None
    curve = [measure(step) for step in episodes[0]] if len(episodes) == 1 and len(episodes[0]) > 1 else []
    parts = {name: fmean(metric.contexts[name] for metric in last) for name in last[0].contexts}
    return Metric(fmean(m.value for m in last), parts, tuple(metric.value for metric in curve if metric))


def _by_text(record: Record, value: Callable[[Sequence[float]], float]) -> Metric:
    """The mean of a value a token over all tokens of all texts."""
    rows = {f"text {n}": row for n, row in enumerate(record["texts"])}
    found = ratio_of_sums({n: row[0] * value(row) for n, row in rows.items()}, {n: row[0] for n, row in rows.items()})
    assert found is not None  # a text has a scored token
    return found


def _perplexity(record: Record) -> Metric:
    """exp of the mean over all tokens, linearised (delta method): each text's value is e^L · (1 + its own − L)."""
    found = _by_text(record, lambda row: row[2] - row[1])
    ratio = math.exp(found.value)
    return Metric(ratio, {n: ratio * (1 + own - found.value) for n, own in found.contexts.items()})


def _divergence(record: Record) -> Metric:
    return _by_text(record, lambda row: row[3])


def _items(record: Record, suites: Sequence[str]) -> dict[str, Sequence[int]]:
    return {f"{suite} {n}": row for suite in suites for n, row in enumerate(record["items"][suite])}


def _turned(record: Record, suites: Sequence[str], before: int) -> Metric | None:
    """Of the items that were right (1) or wrong (0) before, the share that no longer is; None if there are none."""
    had = {n: float(now != before) for n, (then, now) in _items(record, suites).items() if then == before}
    return mean_of(had) if had else None


def _right(record: Record, suites: Sequence[str], side: int) -> Metric | None:
    """The share of items that are right without (0) or with (1) the memory; None if there are none."""
    right = {n: float(row[side]) for n, row in _items(record, suites).items()}
    return mean_of(right) if right else None
