"""Knowledge gain: what is answered of contexts that were written, beyond what was answered while they were not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from membench.statistics.intervals import Interval, two_way_ci, unpaired_ci
from membench.statistics.uneven import in_order, shared_keys

Contexts = Sequence[Mapping[str, float]]  # a metric per context, one mapping a seed


def gain(summaries: Sequence[Mapping[str, Mapping[str, Any]]], score: str) -> Interval | None:
    """A score's view `all` minus its view `placebo` of the same contexts, over contexts and seeds; None without both.

    Where placebo questions are about contexts that are never written, nothing pairs the two: Welch's interval.
    """
    seen, placebo = (
        [s.get(f"{score}/{view}", {}).get("contexts", {}) for s in summaries] for view in ("all", "placebo")
    )
    if not (seen and all(seen) and all(placebo)):
        return None
    found = [
        {c: v - before[c] for c, v in after.items() if c in before} for after, before in zip(seen, placebo, strict=True)
    ]
    if shared := shared_keys(found):
        return two_way_ci([in_order(contexts, shared) for contexts in found])
    return _unpaired(seen, placebo)


def _unpaired(seen: Contexts, placebo: Contexts) -> Interval | None:
    names = [shared_keys(found) for found in (seen, placebo)]
    if not all(names):
        return None
    after, before = ([in_order(scores, n) for scores in found] for found, n in zip((seen, placebo), names, strict=True))
    return unpaired_ci(after, before)
