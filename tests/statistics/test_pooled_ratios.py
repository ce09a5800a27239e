"""Shares of what some contexts have none of: the interval is over those that have."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from membench.advice.evidence import worst_damage
from membench.analysis.compare import compare
from membench.errors import MembenchError
from membench.metrics.retention import summarise_retention
from membench.statistics.pooled_ratios import parts_ci
from membench.statistics.shares import share_ci
from membench.store.cell_folder import Cell
from membench.store.summary import _plain
from membench.tables.entry import Entry
from membench.tables.leaderboard import tables
from membench.values import Answer
from membench.views import ratio_of_parts
from tests.support.table_cells import cell


def stored(parts: list[float], wholes: list[float]) -> dict[str, Any]:
    """As a result has it."""
    names = [f"c{k}" for k in range(len(parts))]
    found = ratio_of_parts(dict(zip(names, parts, strict=True)), dict(zip(names, wholes, strict=True)))
    assert found is not None
    return _plain(found)


def test_one_question_of_twenty_contexts_is_one_and_four_are_four() -> None:
    alone = parts_ci([stored([1.0] + [0.0] * 19, [1.0] + [0.0] * 19)])
    assert alone is not None
    assert (alone.value, alone.low, alone.high) == (1.0, None, None)
    four = parts_ci([stored([0.0] * 20, [1.0] * 4 + [0.0] * 16)])
    assert four is not None
    assert four == pytest.approx(share_ci([[0.0] * 4]))
    assert four.high is not None
    assert four.high > 0.6


def test_where_all_have_the_same_it_is_the_interval_of_a_share() -> None:
    right = [1.0, 0.0, 0.5, 1.0, 0.0, 0.5, 0.5, 1.0]
    found = parts_ci([stored([2 * x for x in right], [2.0] * 8)])
    assert found == pytest.approx(share_ci([right]), abs=1e-5)


def test_seeds_are_pooled_and_what_no_seed_has_tells_nothing() -> None:
    seeds = [stored([1.0, 0.0, 0.0, 0.0], [2.0, 2.0, 0.0, 0.0]), stored([0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0])]
    found = parts_ci(seeds)
    assert found is not None
    assert found.value == pytest.approx(2 / 6)
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low < 2 / 6 < found.high <= 1


def test_it_covers() -> None:
    """Twelve contexts, of which each has 0 to 3 that a part of 0.7 is taken of: at least 93 of 100 intervals hold."""
    rng = random.Random(5)
    held = tried = 0
    for _ in range(600):
        wholes = [float(rng.choice((0, 0, 1, 2, 3))) for _ in range(12)]
        parts = [float(sum(rng.random() < 0.7 for _ in range(int(whole)))) for whole in wholes]
        if sum(map(bool, wholes)) > 4:
            found = parts_ci([stored(parts, wholes)])
            assert found is not None
            assert found.low is not None
            assert found.high is not None
            tried, held = tried + 1, held + (found.low <= 0.7 <= found.high)
    assert held / tried > 0.93


def damaged(method: str, parts: list[float], wholes: list[float], **recipe: Any) -> Cell:
    one = cell(method, (0.4,) * 20, **recipe)
    one.result["summary"]["damage/all"] = stored(parts, wholes)
    return one


def test_nothing_is_claimed_from_texts_that_have_nothing_to_lose() -> None:
    """Twenty texts of which a tenth has a question that the model knew: no difference, and few draws that claim one."""
    rng = random.Random(1)
    claims = 0
    for _ in range(120):
        wholes = [float(rng.random() < 0.1) for _ in range(20)]
        if any(wholes):
            those = [damaged(m, [w * (rng.random() < 0.5) for w in wholes], wholes) for m in ("bm25", "dpr")]
            (table,) = tables(those, sort="damage")
            claims += any(entry.standing and entry.standing.resolved for entry in table.entries)
    assert claims <= 6


def test_shares_of_other_texts_are_not_compared() -> None:
    half = [1.0] * 10 + [0.0] * 10
    cells = [damaged("bm25", half, half), damaged("dpr", [0.0] * 20, half[::-1])]
    (table,) = tables(cells, sort="damage")
    assert table.asked == ("no groups: the methods share fewer than two texts with damage",)
    cells[1] = damaged("dpr", [0.0] * 20, [1.0] * 20)
    (table,) = tables(cells, sort="damage")
    assert table.asked == ("no groups: damage is about other texts with each method",)
    with pytest.raises(MembenchError, match="damage is about other texts with each method"):
        compare(cells, "bm25", "dpr", metric="damage/all")
    assert [entry.clusters("damage") for entry in table.entries] == [20, 10]


def test_damage_that_one_text_tells_of_is_not_known_to_be_small() -> None:
    (table,) = tables([damaged("bm25", [0.0] * 20, [1.0] + [0.0] * 19)])
    assert worst_damage(table.entries[0]) == 1.0


def three(*sums: tuple[list[float], list[float]], metric: str = "damage/all") -> Entry:
    """An entry with a seed for each pair of parts and wholes; one without any whole has no such metric, as stored."""
    cells = []
    for seed, (parts, wholes) in enumerate(sums):
        one = cell("ft-c", (0.4,) * 20, trained=9.0, seed=seed)
        if any(wholes):
            one.result["summary"][metric] = stored(parts, wholes)
        cells.append(one)
    (table,) = tables(cells)
    return table.entries[0]


def test_a_seed_without_any_whole_adds_none_to_the_others() -> None:
    some = ([1.0, 0.0] * 10, [1.0] * 20)
    entry = three(some, some, ([0.0] * 20, [0.0] * 20))
    found = entry.interval("damage")
    assert found is not None
    assert entry.value("damage") == pytest.approx(0.5)
    assert found.value == pytest.approx(0.5)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.5 < found.high
    assert worst_damage(entry) == found.high
    assert three(([0.0] * 20, [0.0] * 20)).value("damage") is None


@pytest.mark.parametrize("seeds", [1, 2, 5])
def test_one_text_tells_nothing_of_others_however_many_seeds(seeds: int) -> None:
    one = ([0.0] * 20, [1.0] + [0.0] * 19)
    found = parts_ci([stored(*one)] * seeds)
    assert found is not None
    assert (found.value, found.low, found.high) == (0, None, None)
    assert worst_damage(three(*[one] * seeds)) == 1.0


def test_damage_of_a_few_texts_that_agree_is_not_known_to_be_small() -> None:
    few = ([1.0, 1.0] + [0.0] * 18, [4.0, 4.0] + [0.0] * 18)
    assert worst_damage(three(few)) == 1.0
    assert worst_damage(three(([1.0] * 20, [4.0] * 20))) == 1.0, (
        "all agree, so that nothing tells how others would vary"
    )
    assert worst_damage(three(([1.0, 2.0] * 10, [3.0, 6.0] * 10))) == 1.0, "as far as six decimals say"
    assert worst_damage(three(([0.0] * 20, [4.0] * 20))) < 0.2  # type: ignore[operator]


def test_the_references_ratio_is_over_the_texts_that_tell() -> None:
    own = [1.0] + [0.0] * 19
    entry = replace(three((own, own)), reference={"damage/all": stored([2.0] + [0.0] * 19, [2.0] * 20)})
    assert entry.value("damage") == 1
    assert entry.yardstick(entry.reference, "damage") == pytest.approx(1.0)  # 2 of 2 of the one text that tells
    assert entry.recovery("damage") is None
    assert entry.yardstick({}, "damage") is None


def test_a_curve_is_that_of_the_seeds_that_have_it() -> None:
    """One seed had nothing right just after writing, so that it kept nothing of nothing."""
    some = ([0.5, 0.5] * 10, [1.0, 0.2] * 10)
    entry = three(([0.0] * 20, [0.0] * 20), some, some, metric="retention:contains")
    for summary, curve in zip(entry.summaries[1:], ([1.0, 0.6], [1.0, 0.8]), strict=True):
        summary["retention:contains"]["curve"] = curve  # type: ignore[index]
    assert entry.value("retention:contains") == pytest.approx(5 / 6)
    assert entry.curve("retention:contains") == pytest.approx([1.0, 0.7])
    assert entry.curve("matrix:contains") is None


def test_retention_has_the_interval_of_what_tells() -> None:
    """Of twenty texts one was ever right just after its own write, and it stayed so."""
    names = [f"c{k}" for k in range(20)]
    answers = [
        Answer("s", 2 * t, t, k + 1, f"{c}-q", c, {}, "?", ("a",), "a", {"contains": float(c == "c1")})
        for t in range(1, 21)
        for k, c in enumerate(names)
    ]
    found = summarise_retention(answers, "contains")["retention:contains"]
    one = cell("bm25", (0.4,) * 20)
    one.result["summary"]["retention:contains"] = _plain(found)
    (table,) = tables([one])
    shown = table.entries[0].interval("retention:contains")
    assert shown is not None
    assert shown.value == pytest.approx(1.0)
    assert shown.low is None


def test_a_table_in_which_nothing_pairs_two_methods_does_not_hide_another() -> None:
    half = [1.0] * 10 + [0.0] * 10
    apart = [damaged("bm25", half, half), damaged("dpr", [0.0] * 20, [1.0] * 20)]
    each = {"model": "other", "seed": 7}
    other = [damaged("bm25", half, [1.0] * 20, **each), damaged("dpr", half[::-1], [1.0] * 20, **each)]
    (found,) = compare([*apart, *other], "bm25", "dpr", metric="damage/all")
    assert "other" in found.title
