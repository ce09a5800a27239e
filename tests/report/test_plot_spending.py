"""Amortised costs, break-even and tokens by role on the report page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from membench.report import write_page
from membench.report.plot_spending import amortised_plot, spending_of
from membench.report.plot_style import inline_svg
from membench.report.shown_records import Shown, read_shown
from membench.statistics.break_even import break_even, spans
from membench.store import cell_folder
from membench.store.cell_folder import Cell
from membench.store.costs import ledger_of
from membench.store.record_log import RecordLog
from membench.store.records import digest, read_records
from membench.store.summary import summarise_cell
from membench.tables.leaderboard import Table, tables
from tests.support.stored_cells import put_cell, recipe


def cell(root: Path, method: str, write: float, read: float) -> None:
    """A stored cell of which every write and every question takes so many seconds."""
    put_cell(root, recipe("single", method))
    (made,) = [c for c in cell_folder.cells(root) if c.recipe["method"] == method]
    rows: list[dict[str, Any]] = read_records(made.folder)
    for row in rows:
        if row["type"] in ("write", "ask"):
            row["seconds"] = write if row["type"] == "write" else read * row["questions"]
    (made.folder / "records.jsonl").unlink()
    with RecordLog.open(made.folder) as log:
        for row in rows:
            log.append(row)
    costs = summarise_cell(None, rows)[1]
    cell_folder.finish(
        made.folder, {**made.result, "costs": costs, "ledger": ledger_of(rows, None)}, digest(made.folder)
    )


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dear writes in 10 s and reads in 1, cheap in 1 s and 3, worst in 20 s and 5."""
    folder = tmp_path_factory.mktemp("spending") / "results"
    for method, write, read in (("selfparam", 10.0, 1.0), ("bm25", 1.0, 3.0), ("raptor", 20.0, 5.0)):
        cell(folder, method, write, read)
    return folder


def played(root: Path) -> tuple[Table, list[Cell]]:
    cells = cell_folder.cells(root)
    (table,) = tables(cells)
    return table, cells


def records_of(cells: list[Cell]) -> Shown:
    return read_shown([cell.id for cell in cells], cells)


def test_the_matrix_says_from_when_on_a_row_is_cheaper(root: Path) -> None:
    table, cells = played(root)
    head, *rows = spending_of(table.entries, cells, records_of(cells)).break_even
    found = {(row[0], column): value for row in rows for column, value in zip(head[1:], row[1:], strict=True)}
    even = break_even(*(spans(read_records(c.folder)) for c in cells if c.recipe["method"] != "raptor")).questions
    assert even is not None
    assert even.value == pytest.approx(4.5)
    assert found["selfparam", "bm25"] == "4.5"
    assert found["bm25", "selfparam"] == "0 to 4.5"
    assert found["bm25", "raptor"] == found["selfparam", "raptor"] == "0"
    assert {found["raptor", name] for name in head[1:]} == {"–"}


def test_the_figure_is_w_plus_n_q(root: Path) -> None:
    plot = amortised_plot(played(root)[0].entries)
    assert plot is not None
    (line,) = [line for line in plot.grid if line[0] == "selfparam"]
    assert line[1:] == ["11.000", "20.000", "110.000", "1010", "1.001e+04", "1e+05"]
    assert plot.figure.axes[0].get_xscale() == plot.figure.axes[0].get_yscale() == "log"
    assert "mathdefault" not in inline_svg(plot, "a")
    assert amortised_plot([]) is None


def test_tokens_stand_by_role_and_all_of_it_is_on_the_page(root: Path, tmp_path: Path) -> None:
    table, cells = played(root)
    lines = spending_of(table.entries, cells, records_of(cells)).tokens
    assert ["bm25", "a context written", "reader", "90", "0", "0"] in lines
    assert ["bm25", "a question read", "reader", "80", "4", "0"] in lines
    write_page(cells, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<td>0 to 4.5</td>" in page
    assert "<summary>Tokens by role</summary>" in page
    for name in ("break-even, questions a context", "tokens by role"):
        assert f'role="region" aria-label="{table.title}: {name}"' in page


def test_a_damaged_cell_leaves_its_break_even_open(root: Path) -> None:
    table, cells = played(root)
    (broken,) = [c for c in cells if c.recipe["method"] == "bm25"]
    text = (broken.folder / "records.jsonl").read_text(encoding="utf-8")
    (broken.folder / "records.jsonl").write_text("no record\n" + text, encoding="utf-8")
    try:
        assert any("unresolved" in row for row in spending_of(table.entries, cells, records_of(cells)).break_even)
    finally:
        (broken.folder / "records.jsonl").write_text(text, encoding="utf-8")
