"""What tables say of differences: letters, the declared method, one seed, and what is not compared."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from membench.errors import MembenchError
from membench.store.cell_folder import Cell
from membench.tables.leaderboard import Table, rows, tables
from membench.tables.render import grids, notes, render
from membench.tables.significance import corrected
from membench.views import ratio_of_sums
from tests.support.table_cells import CONTEXTS, cell, wave


def one(cells: Sequence[Cell], **filters: Any) -> Table:
    (table,) = tables(cells, **filters)
    return table


THREE = [cell("good", wave(0.7)), cell("fair", wave(0.69, 1)), cell("poor", wave(0.2, 2))]


def test_methods_that_are_not_resolved_share_a_letter() -> None:
    table = one(THREE)
    assert [(e.method, e.standing and e.standing.group) for e in table.entries] == [
        ("good", "a"), ("fair", "a"), ("poor", "b"),
    ]  # fmt: skip
    assert table.remarks == (
        "group: by contains; methods that share a letter are not resolved "
        "(paired by question, clustered by 20 contexts, Holm over 3 comparisons)",
    )
    assert [line[2] for line in grids(table)["memory"]] == ["group", "a", "a", "b"]
    good = table.entries[0].standing
    assert good
    assert (good.versus, good.resolved) == ("fair", False)
    assert good.mde is not None
    assert 0 < good.mde < 0.2


def test_methods_that_score_alike_everywhere_have_no_detectable_effect() -> None:
    table = one([cell("one", wave(0.7)), cell("same", wave(0.7))])
    assert [e.standing and e.standing.mde for e in table.entries] == [0, 0]
    assert "MDE" not in grids(table)["memory"][0]


def test_without_a_comparison_none_is_counted() -> None:
    trained = [cell(name, wave(0.7, k), trained=9.0) for k, name in enumerate(("one", "two"))]
    assert one(trained).remarks[0].endswith("(paired by question, clustered by 20 contexts)")


def test_a_declared_method_is_what_all_are_compared_with() -> None:
    table = one(THREE, against="fair")
    good, fair, poor = (e.standing for e in table.entries)
    assert fair is None
    assert good
    assert poor
    assert (good.group, good.versus, good.resolved, poor.resolved) == (None, "fair", False, True)
    assert grids(table)["memory"][3][2].startswith("-0.49 ±0.0")
    assert grids(table)["memory"][3][2].endswith(" *")
    assert "to fair (paired by question, clustered by 20 contexts, Holm over 2 comparisons)" in table.remarks[0]
    assert poor.p is not None
    assert poor.p < 0.001


def test_declaring_one_method_corrects_for_fewer_comparisons() -> None:
    every, declared = one(THREE).entries[0].standing, one(THREE, against="fair").entries[0].standing
    assert every
    assert declared
    assert every.p is not None
    assert declared.p is not None
    assert declared.p <= every.p


def test_who_is_declared_must_be_there_once() -> None:
    with pytest.raises(MembenchError, match="unknown method to compare with 'god': did you mean 'good'"):
        tables(THREE, against="god")
    twice = [*THREE, *(cell("dpr", wave(0.4), settings={"k": k}, defaults={"k": 1}) for k in (2, 3))]
    with pytest.raises(MembenchError, match="'dpr' names 2 rows: type one of dpr k=2, dpr k=3"):
        tables(twice, against="dpr")
    assert one(twice, against="dpr k=2").entries[0].standing


def test_a_failed_seed_is_no_row_to_compare_with() -> None:
    third = cell("ft-s", wave(0.3), seed=2)
    failed = replace(third, result={**third.result, "status": "failed", "reason": "no memory", "summary": {}})
    played = [cell("bm25", wave(0.5)), *(cell("ft-s", wave(0.3, k), seed=k) for k in (0, 1)), failed]
    for those in (played, [*played[:2], failed]):
        assert [e.method for e in one(those, against="ft-s").entries if e.standing] == ["bm25"]
    done = cell("ft-s", wave(0.3), settings={"k": 2}, defaults={"k": 1})
    lacking = one([played[0], done, failed], against="ft-s")
    assert not [e for e in lacking.entries if e.standing], "it is not asked for"
    assert "no differences: ft-s has no contains" in " ".join(lacking.remarks)


def test_one_seed_of_a_trained_method_resolves_nothing_and_three_do() -> None:
    trained = [cell("trained", wave(0.9), trained=100.0, seed=0), *THREE]
    table = one(trained)
    assert [e.standing and e.standing.group for e in table.entries] == ["ab", "a", "a", "b"]
    top = table.entries[0].standing
    assert top
    assert (top.p, top.resolved) == (None, False)
    assert "not resolved (play --seeds 0,1,2): trained" in notes(table, grids(table))[1]
    seeded = [cell("trained", wave(0.9 + 0.01 * s), trained=100.0, seed=s) for s in range(3)]
    assert [e.standing and e.standing.group for e in one([*seeded, *THREE]).entries] == ["a", "b", "b", "c"]


def test_rows_say_so_on_the_metric_that_decides() -> None:
    found = {(r["method"], r["metric"]): r for r in rows(THREE)}
    assert found["poor", "contains"]["resolved"] is True
    assert found["poor", "contains"]["versus"] == "good"
    assert found["poor", "contains"]["difference"] == pytest.approx(-0.5)
    assert found["poor", "f1"]["difference"] is None
    assert found["poor", "f1"]["group"] == "b"
    assert {r["difference"] for r in rows(THREE, sort="f1") if r["metric"] == "contains"} == {None}


def test_fewer_than_two_methods_or_contexts_are_not_compared() -> None:
    assert one(THREE[:1]).remarks == ()
    assert one([cell("a", [0.5]), cell("b", [0.6])]).entries[0].standing is None
    assert "group" not in render([one(THREE[:1])], "md")


def measured(method: str, name: str, scores: Mapping[str, float], value: float) -> Cell:
    """A cell with one metric and bytes to have a front of."""
    plain = cell(method, list(scores.values()))
    costs = {"state_bytes_per_context": 9.0, "write_seconds_per_context": 1.0}
    summary = {name: {"value": value, "contexts": dict(scores)}}
    return replace(plain, result={**plain.result, "summary": summary, "costs": costs})


def test_where_less_is_better_the_best_has_the_first_letter_and_the_front() -> None:
    harms = {"harsh": 0.9, "rough": 0.5, "mild": 0.1}
    cells = [
        measured(m, "drift_kl/all", {f"c{k}": s for k, s in enumerate(wave(harm, k))}, harm)
        for k, (m, harm) in enumerate(harms.items())
    ]
    table = one(cells, sort="drift_kl")
    found = [(e.method, e.front, e.standing and (e.standing.group, e.standing.versus)) for e in table.entries]
    assert found == [("mild", "bw", ("a", "rough")), ("rough", "", ("b", "mild")), ("harsh", "", ("c", "mild"))]


def test_recommendations_are_ranked_judged_and_fronted_by_recall() -> None:
    """The linearised values differ by the difference of the ratios, whatever the numbers of gold items."""
    golds = {f"d{k}": 1.0 + k % 4 for k in range(CONTEXTS)}
    cells, recalls = [], {}
    for method, every in (("poor", 5), ("good", 1)):
        hits = {d: (count if k % every == 0 else 0.0) for k, (d, count) in enumerate(golds.items())}
        metric = ratio_of_sums({d: 0.8 * n for d, n in hits.items()}, golds)
        assert metric
        recalls[method] = metric.value
        cells.append(measured(method, "recall@5/all", metric.contexts, metric.value))
    for sort in (None, "write_seconds_per_context"):
        table = one(cells, sort=sort)
        good, poor = sorted(table.entries, key=lambda e: e.method)
        assert good.standing
        assert poor.standing
        assert (good.standing.group, poor.standing.group, good.front, poor.front) == ("a", "b", "bw", "")
        assert good.standing.difference == pytest.approx(recalls["good"] - recalls["poor"])
        assert table.remarks[0].startswith("group: by recall@5;")
    assert [e.method for e in one(cells).entries] == ["good", "poor"]


def test_a_pair_that_nothing_resolves_has_the_p_of_its_tests_and_not_1() -> None:
    """Of a family in which Student's t rejects nothing, too."""
    rng = random.Random(4)
    cells = [cell(name, [rng.random() for _ in range(CONTEXTS)]) for name in ("bm25", "dpr")]
    (table,) = tables(cells)
    p = [e.standing.p for e in table.entries if e.standing and e.standing.p is not None]
    assert all(0.05 < value < 1 for value in p)
    one, other = table.entries[:2]
    found, mde = corrected(table.entries, "contains/all", (one, other))
    assert found is not None
    assert mde is not None
    assert 0.05 < found < 1
    assert one.standing is not None
    assert mde == one.standing.mde
