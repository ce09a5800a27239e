"""The figures of stored cells: what they draw, and their files."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from membench.figures import write_figures
from membench.figures.files import plots_of, settings_of
from membench.figures.plot_amortised import amortised_plot
from membench.figures.plot_curves import retention_plot
from membench.figures.plot_intervals import interval_plot
from membench.figures.plot_style import Plot, file_bytes
from membench.store import cell_folder
from membench.tables.leaderboard import tables
from tests.support.report_cells import three_prices, three_tasks
from tests.support.stored_cells import put_cell, recipe

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return three_tasks(tmp_path_factory.mktemp("figures") / "results")


@pytest.fixture(scope="module")
def spent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return three_prices(tmp_path_factory.mktemp("spent") / "results")


def test_retention_has_a_theory_line_for_a_pool_alone(folder: Path) -> None:
    cells = cell_folder.cells(folder)
    (table,) = tables(cells, task="sequential")
    plot = retention_plot(table.entries, settings_of(cells))
    assert plot is not None
    theory = [line for line in plot.grid if "(1 − 20/100)^k" in line[0]]
    assert [line[1:] for line in theory] == [[f"{0.8**k:.3f}" for k in range(len(theory[0]) - 1)]]
    assert not any(line[0].startswith("bm25:") for line in plot.grid)
    curve = next(e for e in table.entries if e.method == "bm25").curve("retention:contains")
    assert curve is not None
    assert next(line for line in plot.grid if line[0] == "bm25")[1 : len(curve) + 1] == [f"{v:.3f}" for v in curve]


def test_figures_are_files_of_their_form(folder: Path, tmp_path: Path) -> None:
    cells = cell_folder.cells(folder)
    kinds = {path.name.split("-", 3)[3] for path in write_figures(cells, tmp_path / "figures", "svg")}
    assert kinds == {f"{kind}.svg" for kind in (
        "intervals", "cost-b", "cost-w", "cost-r", "amortised", "retention", "drift_ppl", "drift_kl", "flips", "matrix",
    )}  # fmt: skip
    for path in (tmp_path / "figures").iterdir():
        assert ET.parse(path).getroot().tag.endswith("svg")
    for form, start in (("png", b"\x89PNG"), ("pdf", b"%PDF")):
        made = write_figures(cells, tmp_path / "figures", form, task="single")
        assert made
        assert all(path.read_bytes().startswith(start) for path in made)


@pytest.mark.parametrize("form", ["svg", "pdf"])
def test_the_same_cells_give_the_same_files(folder: Path, form: str) -> None:
    cells = cell_folder.cells(folder)
    first, again = (file_bytes(plots(cells, task="sequential")["retention"], form) for _ in range(2))
    assert first == again


def plots(cells: Sequence[cell_folder.Cell], **filters: Any) -> dict[str, Plot]:
    """The figures of the only table, by their kinds."""
    (table,) = tables(cells, **filters)
    return {plot.kind: plot for plot in plots_of(table, settings_of(cells), filters.get("sort"))}


def test_the_caption_names_what_is_marked_and_the_column_that_tests(tmp_path: Path) -> None:
    played = {
        name: put_cell(tmp_path, recipe("gold", name), skill=skill)["summary"]
        for name, skill in (("base", 0.1), ("in-context", 0.9))
    }
    for method in ("bm25", "dpr"):
        put_cell(tmp_path, recipe("single", method), yardsticks=played)
    cells = cell_folder.cells(tmp_path)
    caption = plots(cells, task="single")["intervals"].caption
    assert "no competitors: base (floor), in-context (reference)." in caption
    assert caption.endswith("see the column group.")
    assert plots(cells, task="single", against="dpr")["intervals"].caption.endswith("see the column difference.")
    assert "column" not in plots(cells, task="single", method="dpr")["intervals"].caption
    (table,) = tables(cells, task="single")
    chance = replace(table.entries[-1], method="random", settings={}, seeds=(0,), mark="no model")
    drawn = interval_plot([*table.entries, chance], "contains/all")
    assert drawn
    assert "in-context (reference), random (no model)." in drawn.caption


def test_the_front_of_a_harm_is_its_least_and_the_axis_says_so(folder: Path) -> None:
    cells = cell_folder.cells(folder)
    harm = plots(cells, task="sequential", sort="drift_kl")["cost-b"]
    assert harm.figure.axes[0].get_ylabel() == "drift_kl, lower is better"
    assert plots(cells, task="sequential")["cost-b"].figure.axes[0].get_ylabel() == "contains"


def test_the_figure_is_w_plus_n_q(spent: Path) -> None:
    plot = amortised_plot(tables(cell_folder.cells(spent))[0].entries)
    assert plot is not None
    (line,) = [line for line in plot.grid if line[0] == "selfparam"]
    assert line[1:] == ["11.000", "20.000", "110.000", "1010", "1.001e+04", "1e+05"]
    assert plot.figure.axes[0].get_xscale() == plot.figure.axes[0].get_yscale() == "log"
    assert b"mathdefault" not in file_bytes(plot, "svg")
    assert amortised_plot([]) is None
