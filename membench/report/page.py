"""From stored cells to the page, and to the files of its figures."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from membench.errors import MembenchError
from membench.io.atomic_files import make_folder, refuse_link, replace_file
from membench.report.answers import Answers, answers_of
from membench.report.board import Board, board, labels_of
from membench.report.cell_origins import Origins, origins_of
from membench.report.plot_spending import Spending, spending_of
from membench.report.plot_style import SHOWN, file_bytes, inline_svg, variables
from membench.report.shown_records import read_shown
from membench.store.cell_folder import Cell
from membench.tables.columns import COLUMNS, columns_for, columns_help
from membench.tables.leaderboard import tables
from membench.text.visible import visible_lines

HERE = Path(__file__).parent


def write_page(cells: Sequence[Cell], path: Path, **filters: Any) -> int:
    """Write the page of the tables that these cells make; `filters` are those of `tables`.

    Returns its size in bytes, 0 where there is no table (nothing is written then). Raises MembenchError if the file
    cannot be written.
    """
    boards = _boards(cells, filters)
    if not boards:
        return 0
    shown = read_shown(labels_of(boards), cells)
    spendings = [spending_of(one.shown, cells, shown) for one in boards]
    text = page(boards, spendings, answers_of(boards, shown), origins_of(boards, cells))
    data = text.encode(errors="replace")  # half of a surrogate pair, which JSON may hold, is in no file
    refuse_link(path, "--output")
    if path.is_dir():
        raise MembenchError(f"{path} is a folder: name a file with --output, e.g. {path / 'report.html'}")
    replace_file(path, data)
    return len(data)


def write_figures(cells: Sequence[Cell], folder: Path, form: str, **filters: Any) -> list[Path]:
    """Write each figure as FOLDER/TASK-NUMBER-KIND.FORM, form svg or png; returns the paths.

    Raises MembenchError if the folder cannot be made or written to.
    """
    refuse_link(folder, "--output")
    written = []
    for one in _boards(cells, filters):
        for number, plot in enumerate(one.plots, 1):
            path = folder / f"{one.name}-{one.table.recipe['task']}-{number}-{plot.kind}.{form}"
            make_folder(folder)
            replace_file(path, file_bytes(plot, form))
            written.append(path)
    return written


def page(boards: Sequence[Board], spendings: Sequence[Spending], answers: Answers, origins: Origins) -> str:
    """The page as text, `spendings` in the order of the boards; the same cells give the same text."""
    import jinja2

    loader = jinja2.FileSystemLoader(HERE)
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        finalize=lambda value: visible_lines(value) if type(value) is str else value,
    )  # fmt: skip
    shown = {column.head for one in boards for column in columns_for(one.table.entries)}
    intervals_help, *_ = columns_help().split("\n")
    help_ = {c.head: (number, f"{c.help}.") for number, c in enumerate(COLUMNS) if c.head in shown}
    script = (HERE / "page.js").read_text(encoding="utf-8")
    return environment.get_template("page.html").render(
        boards=boards,
        spendings=spendings,
        version=version("membench"),
        inline_svg=inline_svg,
        answers=answers,
        origins=origins,
        shown=SHOWN,
        help=help_,
        intervals_help=intervals_help,
        light=variables(False),
        dark=variables(True),
        style=(HERE / "page.css").read_text(encoding="utf-8"),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _boards(cells: Sequence[Cell], filters: dict[str, Any]) -> list[Board]:
    settings = {cell.id: cell.recipe["settings"] for cell in cells}
    return [board(table, n, filters.get("sort"), settings) for n, table in enumerate(tables(cells, **filters), 1)]
