"""What other tools are told: tables stay apart, and an error is a standard error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from scipy.special import stdtrit

from membench.analysis.export import export
from membench.errors import MembenchError
from membench.statistics.intervals import standard_error, two_way_ci
from membench.store import cell_folder
from membench.tables.leaderboard import tables
from tests.support.stored_cells import put_cell, recipe


def exported(root: Path) -> dict[str, Any]:
    export(cell_folder.cells(root), root.parent / "a.json", "lm-eval")
    found: dict[str, Any] = json.loads((root.parent / "a.json").read_text(encoding="utf-8"))
    return found


def test_each_table_has_its_own_results(tmp_path: Path) -> None:
    root = tmp_path / "results"
    changes: tuple[dict[str, Any], ...] = (
        {"task_settings": {"questions": 2}}, {"task_settings": {"questions": 1, "drift": 2}},
        {"weights_hash": "1" * 64}, {"data_hash": "e" * 16}, {"limit": 9}, {"metric_version": 2},
    )  # fmt: skip
    for change in changes:
        put_cell(root, recipe("sequential", "bm25", **change), drift=change.get("task_settings", {}).get("drift", 0))
    found = exported(root)
    assert len(found["results"]) == len(found["configs"]) == len(changes)
    for table in tables(cell_folder.cells(root)):
        (entry,) = table.entries
        (label,) = [label for label, config in found["configs"].items() if config["cells"] == list(entry.ids)]
        assert found["results"][label]["contains,all"] == entry.value("contains")
        assert ("drift_ppl,all" in found["results"][label]) == ("drift" in table.recipe["task_settings"])


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    root = tmp_path / "results"
    for rate in (0.12345678, 0.12345679):  # a label prints six digits
        put_cell(root, recipe("single", "ft-c", settings={"lr": rate}))
    with pytest.raises(MembenchError, match="are both called"):
        exported(root)


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
def test_the_error_is_the_standard_error(tmp_path: Path, seeds: tuple[int, ...]) -> None:
    root = tmp_path / "results"
    scores = []
    for seed in seeds:
        scores.append(put_cell(root, recipe("single", "ft-c", seed), contexts=5)["summary"]["contains/all"]["contexts"])
    error = next(iter(exported(root)["results"].values()))["contains_stderr,all"]
    assert error == pytest.approx(standard_error([list(those.values()) for those in scores]))


def test_a_standard_error_is_the_interval_over_its_quantile() -> None:
    alone = [[0.2, 0.4, 0.9, 0.1]]
    found = two_way_ci(alone)
    assert found.high is not None
    assert standard_error(alone) == pytest.approx((found.high - found.value) / stdtrit(3, 0.975))
    assert standard_error([[0.1], [0.3]]) == pytest.approx(0.1)
    assert standard_error([[0.1]]) is None
    # V = s²_seed/S + s²_context/G: 0.02/2 + 0.08/2
    assert standard_error([[0.1, 0.5], [0.3, 0.7]]) == pytest.approx(0.05**0.5)
