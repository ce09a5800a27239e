"""Seeds that are about other texts, as the first half of an order that each shuffles: intervals, and no comparison."""

from __future__ import annotations

import re
from dataclasses import replace
from statistics import fmean

import pytest

from membench.analysis.compare import compare
from membench.errors import MembenchError
from membench.overview.measures import ranged
from membench.statistics.ratios import recovered_ci, two_way_ratio_ci
from membench.tables.leaderboard import tables
from tests.support.table_cells import cell

SCORES = (0.4, 0.5, 0.3, 0.4)


def test_seeds_whose_contexts_differ_have_contexts_and_seeds_in_their_interval() -> None:
    """Two seeds that each know six of eight texts: as a ratio to whose sums the two others add nothing."""
    halves = [dict(zip(names, (0.2, 0.6, 0.4, 0.1, 0.9, level), strict=True))
              for names, level in (("abcdef", 0.8), ("fbgchd", 0.2))]  # fmt: skip
    cells = [cell("ft-c", SCORES, seed=s) for s in range(2)]
    for one, contexts in zip(cells, halves, strict=True):
        one.result["summary"]["kept:contains"] = {"value": sum(contexts.values()) / 6, "contexts": contexts}
    ((merged,),) = (table.entries for table in tables(cells))
    right = [[contexts.get(c, 0.0) for c in "abcdefgh"] for contexts in halves]
    asked = [[float(c in contexts) for c in "abcdefgh"] for contexts in halves]
    assert merged.interval("kept:contains") == pytest.approx(two_way_ratio_ci(right, asked))
    assert [sum(row) / 8 for row in merged.matrix("kept:contains")] == pytest.approx([0.5, 0.4])


def test_kept_is_a_share_of_what_was_there_just_after_writing() -> None:
    """None of four texts' right answers is left, and of four others there were none: not 0.00 ± 0.00."""
    one = cell("ft-c", SCORES)
    contexts = {f"c{k}": 0.0 for k in range(8)}
    one.result["summary"]["kept:contains"] = {"value": 0.0, "contexts": contexts, "curve": [0.5] * 4 + [0.0] * 4}
    ((merged,),) = (table.entries for table in tables([one]))
    known = recovered_ci([[0.0] * 8], [[0.5] * 4 + [0.0] * 4])
    assert known is not None
    assert merged.interval("kept:contains") == known
    assert known.high is not None
    assert known.high > 0.5


def test_nothing_is_compared_where_seeds_are_about_other_texts() -> None:
    """The first half of an order that each seed shuffles: the tables say why there are no groups."""
    cells = [cell("bm25", SCORES), *(cell("ft-c", SCORES, seed=s) for s in range(2))]
    for one, half in zip(cells, ("ab", "ab", "bc"), strict=True):
        one.result["summary"]["kept:contains"] = {"value": 0.5, "contexts": dict.fromkeys(half, 0.5)}
    (table,) = tables(cells, sort="kept:contains")
    assert table.asked == ("no groups: kept:contains of ft-c (2 seeds) is about other texts with each seed",)
    assert all(entry.standing is None for entry in table.entries)
    with pytest.raises(MembenchError, match=r"kept:contains of ft-c .* is about other texts with each seed"):
        compare(cells, "bm25", "ft-c", metric="kept:contains")


def test_nothing_is_compared_where_no_texts_are_shared() -> None:
    cells = [cell("bm25", SCORES), cell("dpr", SCORES)]
    cells[1].result["summary"]["contains/all"]["contexts"] = {"z0": 0.4, "z1": 0.5}
    (table,) = tables(cells)
    assert "no groups: the methods share fewer than two texts with contains" in table.asked


def test_kept_of_several_seeds_is_the_ratio_of_their_sums() -> None:
    """A seed that knew little just after writing weighs little, and the number lies within its interval."""
    contexts = [f"c{k}" for k in range(8)]
    above, below = [[0.5] * 4 + [0.0] * 4, [0.0] * 8, [0.0] * 8], [[0.5] * 8, [0.5] * 8, [0.6] * 8]
    cells = [cell("ft-c", SCORES, seed=s) for s in range(3)]
    for one, left, own in zip(cells, above, below, strict=True):
        ratio, middle = sum(left) / sum(own), sum(own) / 8
        linear = {c: ratio + (a - ratio * d) / middle for c, a, d in zip(contexts, left, own, strict=True)}
        one.result["summary"]["kept:contains"] = {"value": ratio, "contexts": linear, "curve": own}
    ((merged,),) = (table.entries for table in tables(cells))
    assert merged.value("kept:contains") == pytest.approx(2 / 12.8)  # by seed 0.5, 0 and 0
    other = [replace(one, result={**one.result, "id": f"{n:016x}", "recipe": {**one.recipe, "method": "ft-s"}})
             for n, one in enumerate(cells, 90)]  # fmt: skip
    (pair,) = compare([*cells, *other], "ft-c", "ft-s", metric="kept:contains")
    assert (pair.score_a, pair.score_b, pair.difference) == pytest.approx((2 / 12.8, 2 / 12.8, 0))
    assert fmean(map(fmean, merged.matrix("kept:contains"))) == pytest.approx(2 / 12.8)
    found, known = merged.interval("kept:contains"), recovered_ci(above, below)
    assert found is not None
    assert known is not None
    assert (found.low, found.high) == pytest.approx((0, known.high))  # no share is below 0
    assert found.high is not None
    assert 0 < found.value < found.high


def test_what_is_about_other_texts_decides_of_no_other_pair() -> None:
    """Two methods with one value each, by twelve texts, beside one whose seeds are about three of them."""
    cells = [cell("bm25", SCORES), cell("dpr", SCORES), *(cell("ft-c", SCORES, seed=s) for s in range(2))]
    names = [f"c{k}" for k in range(12)]
    for one, of, level in zip(cells, (names, names, names[:3], names[1:4]), (1.0, 0.0, 0.5, 0.5), strict=True):
        one.result["summary"]["kept:contains"] = {"value": level, "contexts": dict.fromkeys(of, level)}
    (alone,), (beside,) = (compare(those, "bm25", "dpr", metric="kept:contains") for those in (cells[:2], cells))
    assert beside.verdict == alone.verdict == "bm25 is higher"
    assert beside.p == alone.p


def test_both_ends_stand_where_one_side_is_longer() -> None:
    """All of what ten texts had is left: 1.00 of at least a part, and never more than 1."""
    one = cell("bm25", SCORES)
    contexts = {f"c{k}": 1.0 for k in range(10)}
    one.result["summary"]["kept:contains"] = {"value": 1.0, "contexts": contexts, "curve": [0.5] * 10}
    ((merged,),) = (table.entries for table in tables([one]))
    assert re.fullmatch(r"1\.00 \[0\.\d\d, 1\.00\] †", ranged("kept:contains")(merged))
