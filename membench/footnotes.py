"""What the numbers of a table need said below it, once: which have no interval, and how those of ratios were made."""

from __future__ import annotations

from collections.abc import Sequence

from membench.column_text import FEW, recovered
from membench.entry import Entry
from membench.stats import BOOTSTRAP_FROM, FEWEST, JACKKNIFE, ratio_method

RATIOS = ("contains", "margin")  # scores whose recovery is a column


def footnotes(entries: Sequence[Entry], shown: Sequence[str]) -> list[str]:
    """The lines; `shown` is what stands in the table's cells."""
    few = any(FEW in text for text in shown)
    return [
        *([f"{FEW} fewer than {FEWEST} contexts: too few for an interval"] if few else []),
        *_jackknifed(entries),
    ]


def _jackknifed(entries: Sequence[Entry]) -> list[str]:
    """Only of intervals that are shown."""
    counts = {
        contexts
        for entry in entries
        for name in (recovered(score, entry) for score in RATIOS)
        if entry.recovery(name) and (contexts := entry.clusters(name) or 0) >= FEWEST
        if ratio_method(contexts, len(entry.seeds)) == JACKKNIFE
    }
    if not counts:
        return []
    over = " and ".join(map(str, sorted(counts)))
    return [f"recovery: intervals by jackknife over {over} contexts, as there are fewer than {BOOTSTRAP_FROM}"]
