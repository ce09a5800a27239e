"""Break-even and tokens by role on the report page."""

from __future__ import annotations

from pathlib import Path

import pytest

from membench.report import write_page
from membench.report.shown_records import Shown, read_shown
from membench.report.spending import spending_of
from membench.statistics.break_even import break_even, spans
from membench.store import cell_folder
from membench.store.cell_folder import Cell
from membench.store.records import read_records
from membench.tables.leaderboard import Table, tables
from tests.support.report_cells import three_prices


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return three_prices(tmp_path_factory.mktemp("spending") / "results")


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
