"""From stored cells to the page."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from membench.errors import MembenchError
from membench.figures.files import settings_of, shown_of
from membench.figures.plot_style import variables
from membench.io.atomic_files import refuse_link, replace_file
from membench.report.answers import Answers, answers_of
from membench.report.board import Board, board, labels_of
from membench.report.cell_origins import Origins, origins_of
from membench.report.shown_records import read_shown
from membench.report.source_texts import texts_of
from membench.report.spending import Spending, spending_of
from membench.report.view import View, views_of
from membench.store.cell_folder import Cell
from membench.tables.columns import COLUMNS, columns_for, columns_help
from membench.tables.leaderboard import tables
from membench.text.visible import visible_lines
from membench.views import DETAIL, RISK, TIME

HERE = Path(__file__).parent
LIBRARY = HERE / "vendor" / "plotly-basic.min.js"
STYLES = ("frame.css", "parts.css")
SCRIPTS = ("dom.js", "tables.js", "figures.js", "scatter.js", "time.js", "costs.js", "answers.js", "start.js")
TABS = (
    ("overview", "Overview"), ("time", "Over time"), ("risks", "Risks"), ("costs", "Costs"), ("answers", "Answers"),
    ("provenance", "Provenance"),
)  # fmt: skip


def write_page(cells: Sequence[Cell], path: Path, **filters: Any) -> int:
    """Write the page of the tables that these cells make; `filters` are those of `tables`.

    Returns its size in bytes, 0 where there is no table (nothing is written then). Raises MembenchError if the file
    cannot be written.
    """
    boards = _boards(cells, filters)
    if not boards:
        return 0
    shown = read_shown(labels_of(boards), cells)
    spendings = {one.name: spending_of(shown_of(one.table.entries), cells, shown) for one in boards}
    views = views_of(boards, settings_of(cells), filters.get("sort"))
    boards = [one for view in views for one in view.boards]
    text = page(views, spendings, answers_of(boards, shown, texts_of(boards)), origins_of(views, cells))
    data = text.encode(errors="replace")  # half of a surrogate pair, which JSON may hold, is in no file
    refuse_link(path, "--output")
    if path.is_dir():
        raise MembenchError(f"{path} is a folder: name a file with --output, e.g. {path / 'report.html'}")
    replace_file(path, data)
    return len(data)


def page(views: Sequence[View], spendings: dict[str, Spending], answers: Answers, origins: Origins) -> str:
    """The page as text, `spendings` by the names of the boards; the same cells give the same text."""
    import jinja2

    loader = jinja2.FileSystemLoader(HERE / "page")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        finalize=lambda value: visible_lines(value) if type(value) is str else value,
    )  # fmt: skip
    heads = {column.head for view in views for one in view.boards for column in columns_for(one.table.entries)}
    intervals_help, *_ = columns_help().split("\n")
    help_ = {c.head: (number, f"{c.help}.") for number, c in enumerate(COLUMNS) if c.head in heads}
    script, library = _joined(SCRIPTS), LIBRARY.read_text(encoding="utf-8")
    return environment.get_template("page.html").render(
        views=views,
        tabs=TABS,
        elsewhere=(RISK, DETAIL, TIME),
        RISKS=(RISK, DETAIL),
        TIME=TIME,
        spendings=spendings,
        version=version("membench"),
        answers=answers,
        origins=origins,
        figures=as_json([view.figures for view in views]),
        help=help_,
        intervals_help=intervals_help,
        light=variables(False),
        dark=variables(True),
        style=_joined(STYLES),
        library=library,
        script=script,
        script_hashes=[_hash(library), _hash(script)],
    )


def as_json(value: Any) -> str:
    """As JSON, its texts as the page shows them; without "<" none ends its <script> element or opens another one."""
    return json.dumps(_visible(value), ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _visible(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _visible(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_visible(item) for item in value]
    return visible_lines(value) if isinstance(value, str) else value


def _joined(names: Sequence[str]) -> str:
    return "".join((HERE / "page" / name).read_text(encoding="utf-8") for name in names)


def _hash(script: str) -> str:
    """As a content security policy names a script."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _boards(cells: Sequence[Cell], filters: dict[str, Any]) -> list[Board]:
    return [board(table, n, filters.get("sort")) for n, table in enumerate(tables(cells, **filters), 1)]
