"""What the retrieval ladder has measured (benchmarks/retrieval_ladder.py), and its table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from membench.formats.markdown import Grid
from membench.statistics.paired_tests import ALPHA, contrasts, letters
from membench.statistics.shares import share_ci

ROWS = Path(__file__).with_name("ladder.jsonl")
DEPTH = 10  # ranks that are looked at
HEAD = ("retriever", "questions", "recall@1", "recall@5", "MRR@10", "group", "ms a question", "write s", "state MB")


def stored() -> list[dict[str, Any]]:
    """The blocks of questions that were asked, each with the ranks of the passages that they are about."""
    return [json.loads(line) for line in ROWS.read_text("utf-8").splitlines()] if ROWS.exists() else []


def ladder_table() -> Grid:
    """All retrievers on the questions that all were asked, then, on all of theirs, those that were asked more.

    Intervals are over questions, each of which is about another passage. Those of a group are not resolved by recall@1
    (as the leaderboard tests shares, Holm over the pairs of one number of questions).
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(stored(), key=lambda row: (int(row["first"]), len(row["ranks"]))):
        rows = found.setdefault(row["retriever"], [])
        if rows and rows[-1]["first"] == row["first"]:
            rows.pop()  # a part of the same block, of a run that asked fewer questions
        if row["first"] == sum(len(one["ranks"]) for one in rows):  # what follows a gap waits until that is asked
            rows.append(row)
    ranks = {name: [rank for row in rows for rank in row["ranks"]] for name, rows in found.items()}
    lines = [list(HEAD)]
    for count in sorted({len(of) for of in ranks.values()}):
        names = sorted((n for n in ranks if len(ranks[n]) >= count), key=lambda n: -_recall(ranks[n][:count], 1))
        groups = _groups([ranks[name][:count] for name in names])
        for name, group in zip(names, groups, strict=True):
            whole, rows = ranks[name][:count], found[name]
            values = (_share(_hits(whole, 1)), _share(_hits(whole, 5)), _share([1 / r if r else 0.0 for r in whole]))
            ms = median(ms for row in rows for ms in row["ms"])
            cost = (f"{ms:.1f}", f"{rows[0]['write_s']:.1f}", f"{rows[0]['bytes'] / 1e6:.1f}")
            lines.append([name, str(count), *values, group, *cost])
    return lines


def _hits(ranks: Sequence[int | None], k: int) -> list[float]:
    return [float(rank is not None and rank <= k) for rank in ranks]


def _recall(ranks: Sequence[int | None], k: int) -> float:
    return float(np.mean(_hits(ranks, k)))


def _share(values: Sequence[float]) -> str:
    found = share_ci([values])
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


def _groups(ranked: Sequence[Sequence[int | None]]) -> list[str]:
    pairs = list(combinations(range(len(ranked)), 2))
    if not pairs:
        return ["" for _ in ranked]
    tested = contrasts([np.array([_hits(ranks, 1)]) for ranks in ranked], pairs, shares=True)
    return letters(len(ranked), [pair for pair, p in zip(pairs, tested.p, strict=True) if p <= ALPHA])
