"""Metrics and costs are declared once, where they are computed; a plug-in's task declares its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pytest

from membench.analysis.compare import compare
from membench.metrics import (
    answer_scores,
    composition,
    conflicts,
    contamination_specs,
    deletion,
    drift,
    recommendation,
    retention,
)
from membench.overview.measures import of_one
from membench.plugins import registry
from membench.store import costs, question_subsets
from membench.store.cell_folder import Cell
from membench.tables import catalogue, rows, tables
from membench.tables.columns import COLUMNS, columns_help
from membench.tables.control_rows import PREFIX
from membench.tables.render import grids
from membench.talks import measures
from tests.support.table_cells import cell, wave

RESULTS = Path(__file__).parents[2] / "results" / "reference"
HOMES = (
    answer_scores,
    question_subsets,
    retention,
    recommendation,
    contamination_specs,
    conflicts,
    deletion,
    drift,
    composition,
    measures,
)


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The plug-in's task, found by its entry point."""
    point = EntryPoint("patience", "tests.support.declaring_task:Patience", "membench.tasks")
    found = entry_points

    def with_patience(group: str) -> list[EntryPoint]:
        return [*found(group=group), *([point] if group == "membench.tasks" else [])]

    monkeypatch.setattr(registry, "entry_points", with_patience)
    catalogue.declared_by.cache_clear()
    yield
    catalogue.declared_by.cache_clear()


def sighing(method: str, scores: list[float]) -> Cell:
    made = cell(method, scores, task="patience")
    contexts = made.result["summary"]["contains/all"]["contexts"]
    sighs = {"value": sum(scores) / len(scores), "contexts": contexts}
    summary = {"sighs/all": sighs, "sighs/late": {"value": 3.0}, "odd/all": sighs}
    return replace(made, result={**made.result, "summary": summary})


def test_every_metric_and_cost_of_the_reference_run_is_declared() -> None:
    names: set[str] = set()
    found: set[str] = set()
    for path in RESULTS.glob("*/result.json"):
        result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        controls = (result.get("controls") or {}).get("metrics", {})
        for part in (result["summary"], *result["yardsticks"].values(), controls):
            names |= {name for name in part if not name.startswith(PREFIX)}
        found |= result["costs"].keys()
    assert len(names) > 100
    assert [name for name in sorted(names) if catalogue.spec_of(name) is None] == []
    assert found - catalogue.COSTS.keys() == {"peak_bytes"}, "the process's own, which no table shows"


def test_no_name_is_declared_twice() -> None:
    declared = [spec.name for module in HOMES for spec in module.METRICS]
    assert len(declared) == len(set(declared)) == len(catalogue.METRICS)
    assert len({spec.name for spec in costs.COSTS}) == len(costs.COSTS)
    heads = [column.head for column in COLUMNS]
    assert len(heads) == len(set(heads))
    assert all(column.help for column in COLUMNS)


def test_what_has_a_title_has_a_column() -> None:
    shown = {column.head for column in COLUMNS}
    assert {spec.title for spec in catalogue.METRICS.values() if spec.title} <= shown
    assert {spec.title for spec in costs.COSTS if spec.title} <= shown


@pytest.mark.usefixtures("patience")
def test_a_plug_ins_metric_has_its_head_its_direction_its_digits_and_its_help() -> None:
    cells = [sighing("calm", [2 * v for v in wave(0.5)]), sighing("tense", [8 * v for v in wave(0.7, 1)])]
    (table,) = tables(cells, sort="sighs")
    assert [entry.method for entry in table.entries] == ["calm", "tense"], "less is better"
    columns = {column[0]: column[1:] for column in zip(*grids(table)["memory"], strict=True)}
    assert list(columns["late sighs"]) == ["3.00 †", "3.00 †"]
    assert columns["sighs"][0].startswith("1.0 ±")
    assert "odd" in columns, "what nobody declares is shown by its name"
    assert "- **sighs**: sighs an answer." in columns_help().splitlines()
    row = next(r for r in rows(cells) if r["metric"] == "sighs" and r["subset"] == "all")
    assert (row["unit"], row["higher_is_better"]) == ("sighs", False)
    (found,) = compare(cells, "calm", "tense", "sighs")
    assert found.verdict == "calm is lower, so better"


@pytest.mark.usefixtures("patience")
def test_a_plug_ins_metric_stands_in_the_short_table_of_its_task_where_it_says_so() -> None:
    (table,) = tables([sighing("calm", wave(0.5))], sort="sighs")
    heads = [measure.head for measure in of_one(table, "sighs", 8)]
    assert heads[:2] == ["sighs", "late sighs"]
    assert "odd" not in heads


def test_a_name_that_only_begins_alike_is_another_metric() -> None:
    assert catalogue.spec_of("contains_nothing/all") is None
    assert catalogue.spec_of("leaky/all") is None
