"""Tables from hand-written cells: what stands in which table, against which yardstick, and in every format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from membench.cli import app
from membench.errors import MembenchError
from membench.store import cell_folder
from membench.store.cell_folder import Cell
from membench.tables.columns import COLUMNS, columns_help
from membench.tables.entry import Entry
from membench.tables.leaderboard import rows, tables
from membench.tables.render import grids, notes
from tests.support.leaderboard_cells import CELLS, FLOOR, REFERENCE, SCORES, cell, gold, summary


def entries(cells: list[Cell], **filters: Any) -> tuple[Entry, ...]:
    (table,) = tables(cells, **filters)
    return table.entries


def row(among: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    (found,) = [r for r in among if all(r[k] == v for k, v in wanted.items())]
    return found


def test_a_row_has_its_yardsticks_recovery_and_gain() -> None:
    found = row(rows(CELLS), method="ft-c", metric="contains", subset="all")
    assert found["score"] == pytest.approx(0.4)
    variance, t = 0.02 / 3 / 4, 3.182446
    trials = 0.4 * 0.6 / variance  # that a share of this variance is worth
    half = t * (0.4 * 0.6 / trials + t**2 / (4 * trials**2)) ** 0.5
    assert found["ci_low"] == pytest.approx((0.4 + t**2 / (2 * trials) - half) / (1 + t**2 / trials), rel=1e-6)
    assert (found["unit"], found["higher_is_better"], found["few"]) == ("share", True, True)
    assert (found["floor"], found["reference"], found["placebo"]) == pytest.approx((0.05, 0.8, 0.05))
    assert found["recovery"] == pytest.approx(1.4 / 3.0)
    assert found["knowledge_gain"] == pytest.approx(0.35)
    assert found["settings"] == {"steps": 8}
    assert (found["coverage"], found["status"], found["mark"]) == (1.0, "done", None)
    rehearsed = row(rows(CELLS), method="ft-c", metric="contains", subset="rehearsed")
    assert rehearsed["recovery"] == pytest.approx(2.8 / 3.0)
    assert rehearsed["knowledge_gain"] is None


def test_recovery_of_several_seeds_has_their_noise_in_its_interval() -> None:
    """Three seeds that stand 0, 0.3 and 0.6 above each other: the recovery is as uncertain as the score is."""
    seeds = [cell(seed=s, scores={"contains/all": (0.1 + 0.3 * s, 0.2 + 0.3 * s, 0.1 + 0.3 * s, 0.0 + 0.3 * s)})
             for s in range(3)]  # fmt: skip
    flat = {"base": summary({"contains/all": (0.0,) * 4}), "in-context": summary({"contains/all": (1.0,) * 4})}
    for one in seeds:
        one.result["yardsticks"].update(flat)
    found = row(rows(seeds), method="ft-c", metric="contains")
    assert found["recovery"] == pytest.approx(found["score"])
    assert found["recovery_low"] <= found["ci_low"]
    assert found["recovery_high"] - found["recovery"] > 0.6
    assert found["recovery_by"] == "delta-t"


def test_gain_against_other_contexts_has_welchs_interval() -> None:
    apart = {"base": {"value": 0.1, "contexts": {"h0": 0.0, "h1": 0.2, "h2": 0.1}}}
    one = cell("bm25", task="batch")
    one.result["summary"]["contains/placebo"] = apart["base"]
    (found,) = (r for r in rows([one]) if (r["metric"], r["subset"]) == ("contains", "all") and r["method"] == "bm25")
    assert found["knowledge_gain"] == pytest.approx(0.3)
    assert found["knowledge_gain_low"] < 0.3 < found["knowledge_gain_high"]
    assert found["knowledge_gain_high"] - 0.3 == pytest.approx(2.9 * (0.02 / 3 / 4 + 0.01 / 3) ** 0.5, rel=0.1)


def test_rows_have_the_documented_keys() -> None:
    keys = (
        "task data model method settings seeds contexts questions metric score ci_low ci_high floor reference placebo "
        "recovery knowledge_gain group write_seconds_per_context read_seconds_per_question tokens_trained_per_context "
        "tokens_read_per_question state_bytes state_bytes_per_context deployed_growth_bytes coverage status cells "
        "subset"
    )
    assert all(set(keys.split()) <= set(found) for found in rows([*CELLS, cell("bm25", "failed")]))


def test_yardsticks_stand_on_top_with_their_own_costs() -> None:
    base, reference, method = entries(CELLS)
    assert (base.mark, reference.mark, method.mark) == ("floor", "reference", None)
    assert base.ids == (CELLS[0].id,)
    assert base.cost("write_seconds_per_context") == 0.0
    assert method.recovery("contains") is not None
    assert reference.recovery("contains") is None


def test_held_out_contexts_change_the_data_hash_and_not_the_yardsticks() -> None:
    base, *_ = entries([*CELLS[:2], cell(task="batch", data_hash="d-with-held-out")])
    assert base.cost("write_seconds_per_context") == 0.0
    twice = [*CELLS[:2], gold("base", FLOOR, data_hash="d1"), cell(task="batch", data_hash="d-with-held-out")]
    base, *_ = entries(twice)
    assert (base.mark, base.ids) == ("floor", ())  # which of the two it was cannot be told


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("data", "squad"), ("data_hash", "d1"), ("model", "other"), ("weights_hash", "w1"), ("dtype", "bfloat16"),
        ("style", "chat"), ("prompt_hash", "p1"), ("limit", 5), ("task_settings", {"questions": 2}),
        ("metric_version", 2),
    ],
)  # fmt: skip
def test_a_table_never_mixes(field: str, value: Any) -> None:
    one, other = tables([cell(), cell("bm25", **{field: value})])
    assert [len([e for e in t.entries if not e.mark]) for t in (one, other)] == [1, 1]
    assert one.title != other.title


def test_a_cell_that_was_scored_anew_stands_there_once() -> None:
    cells = [cell(), cell("bm25"), cell("bm25", metric_version=2), cell("dpr", metric_version=3, status="failed")]
    found = {t.recipe["metric_version"]: [e.method for e in t.entries if not e.mark] for t in tables(cells)}
    assert found == {1: ["ft-c"], 2: ["bm25"], 3: ["dpr"]}
    failed = cell("bm25", metric_version=3, status="failed")
    assert {t.recipe["metric_version"] for t in tables([*cells[2:3], failed])} == {2, 3}


def test_seeds_merge_and_other_settings_or_versions_do_not() -> None:
    higher = {**SCORES, "contains/all": (0.6, 0.7, 0.5, 0.6)}
    cells = [cell(), cell(seed=1, scores=higher), cell(settings={"lr": 0.01, "steps": 12}), cell(method_version=2)]
    found = {e.label: e for e in entries(cells) if not e.mark}
    assert set(found) == {"ft-c steps=8 version=1 (2 seeds)", "ft-c lr=0.01 version=1", "ft-c steps=8 version=2"}
    merged = found["ft-c steps=8 version=1 (2 seeds)"]
    assert merged.value("contains") == pytest.approx(0.5)
    interval = merged.interval("contains")
    assert interval is not None
    assert interval.high is not None
    assert interval.high - interval.value > 0.2  # two seeds that differ by 0.2 say little
    assert merged.seeds == (0, 1)


def test_cells_made_from_other_files_are_no_seeds_of_one_method() -> None:
    one, other = ({"encoder_files": [digest], "drift": [digest]} for digest in ("aa", "bb"))
    cells = [cell(sources=one), cell(sources=other), cell(seed=1, sources={**one, "drift": ["cc"]})]
    labels = [e.label for e in entries(cells) if not e.mark]
    assert len(set(labels)) == 2
    assert all(" sources=" in label for label in labels)
    assert [label.endswith("(2 seeds)") for label in sorted(labels, key=len)] == [False, True]
    assert [e.label for e in entries(cells[::2]) if not e.mark] == ["ft-c steps=8 (2 seeds)"]


def longer(contexts: int, **changed: Any) -> list[Cell]:
    """The same cells over so many contexts."""
    out = []
    for one in (gold("base", FLOOR), gold("in-context", REFERENCE), cell(**changed)):
        for part in (one.result["summary"], *one.result["yardsticks"].values()):
            for metric in part.values():
                values = list(metric["contexts"].values())
                metric["contexts"] = {f"c{k}": values[k % 4] for k in range(contexts)}
        out.append(one)
    return out


def test_below_five_contexts_no_interval_is_shown_and_one_line_says_why() -> None:
    said = "† fewer than 5 contexts, too few for an interval, or than 20 questions"
    (few,) = tables(longer(4))
    shown = {column[0]: column[3] for grid in grids(few).values() for column in zip(*grid, strict=True)}
    assert {shown[head] for head in ("contains", "recovery", "recovery rehearsed", "gain")} == {
        "0.40 †", "0.47 †", "0.93 †", "0.35 †",
    }  # fmt: skip
    assert notes(few, grids(few)) == [said]
    (enough,) = tables(longer(5))
    assert "±" in grids(enough)["memory"][3][1]
    assert said not in notes(enough, grids(enough))
    assert rows(longer(4))[0]["ci_low"] is not None  # for who counts contexts


def test_how_a_recoverys_error_was_made_is_said_in_its_row() -> None:
    assert next(r["recovery_by"] for r in rows(longer(8)) if r["recovery"]) == "jackknife-t"


def test_an_unknown_metric_sorts_nothing(tmp_path: Path) -> None:
    for name in ("nonsense", "recovery", "contains/rehersed"):
        with pytest.raises(MembenchError, match="^unknown metric '" + name):
            tables(CELLS, sort=name)
    for name in ("f1", "f1/all", "contains/rehearsed", "write_seconds_per_context"):
        assert tables(CELLS, sort=name)
    cell_folder.finish(cell_folder.open_cell(tmp_path, CELLS[2].recipe), {"schema": 1, **CELLS[2].result}, None)
    found = CliRunner().invoke(app.main, ["leaderboard", "--sort", "nonsense", str(tmp_path)])
    assert (found.exit_code, found.stdout, found.stderr.count("\n")) == (2, "", 1)


def test_a_table_without_the_metric_that_sorts_says_what_it_goes_by() -> None:
    cells = [*longer(8), *longer(8, method="ft-s", settings={})[2:]]
    for one in cells:
        one.result["summary"]["margin/all"] = {"value": 1.0}
    other = cell("bm25", task="batch")
    by_task = {t.recipe["task"]: t for t in tables([*cells, other], sort="margin")}
    assert "nothing here has margin: sorted by contains" in by_task["batch"].remarks
    assert by_task["single"].remarks == ("no groups: margin has no values a context, so nothing tells them apart",)


def test_a_failed_cell_keeps_its_row_reason_and_denominator() -> None:
    cells = [*CELLS, cell("bm25", "failed")]
    last = entries(cells)[-1]
    assert (last.method, last.status, last.value("contains")) == ("bm25", "failed", None)
    assert last.coverage == pytest.approx(0.25)
    found = row(rows(cells), method="bm25")
    assert (found["score"], found["reason"], found["coverage"]) == (None, "it broke", pytest.approx(0.25))
    assert entries([cell("bm25", "failed")])[-1].coverage is None  # nothing says how many questions there would be
    failed = Cell(Path("r"), {**CELLS[0].result, "status": "failed", "reason": "no room", "summary": {}})
    assert [(e.label, e.status) for e in entries([failed, CELLS[1], cell()])][2] == ("base (floor)", "failed")


def test_filters_and_sort() -> None:
    better = cell("selfparam", scores={**SCORES, "contains/all": (0.6, 0.6, 0.6, 0.6), "f1/all": (0.1, 0.1, 0.1, 0.1)})
    cells = [*CELLS, better, cell(task="batch"), cell(data="squad:dev.json", model="other")]
    assert [t.recipe["task"] for t in tables(cells, task="batch")] == ["batch"]
    assert [t.recipe["model"] for t in tables(cells, data=("squad",))] == ["other"]
    assert tables(cells, model="none") == []
    assert [e.method for e in entries(cells, task="single", model="tiny")][2:] == ["selfparam", "ft-c"]
    assert [e.method for e in entries(cells, task="single", model="tiny", sort="f1")][2:] == ["ft-c", "selfparam"]
    assert [e.method for e in entries(cells, task="single", model="tiny", method="ft-c")][2:] == ["ft-c"]


def test_yardsticks_alone_make_a_table() -> None:
    (table,) = tables(CELLS[:2])
    assert [e.mark for e in table.entries] == ["floor", "reference"]
    assert table.title.startswith("floor and reference")


def test_a_metric_of_a_foreign_task_gets_a_column() -> None:
    foreign = cell(task="films", scores={"recall@5/all": (0.1, 0.2, 0.3, 0.4)})
    (table,) = tables([Cell(foreign.folder, {**foreign.result, "yardsticks": {}})])
    assert grids(table)["memory"] == [["method", "recall@5"], ["ft-c steps=8", "0.25 †"]]


def test_the_help_names_every_column() -> None:
    assert all(f"**{column.head}**" in columns_help() for column in COLUMNS)


def test_what_stands_there_before_its_write_is_told_from_the_floor() -> None:
    scores = SCORES | {"forward:contains": (0.0, 0.1, 0.2, 0.3)}
    (table,) = tables([cell(scores=scores), gold("base", FLOOR), gold("in-context", REFERENCE)])
    over = grids(table)["over time"]
    line = next(line for line in over if line[0].startswith("ft-c"))
    assert line[over[0].index("forward")].startswith("0.10 ")  # 0.15 - 0.05
