"""The report page as text: what is on it, that nothing from results is read as HTML, and that it asks for nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from membench.cli import app
from membench.report import answers, write_page
from membench.report.board import Board, board, labels_of
from membench.report.shown_records import read_shown
from membench.store import cell_folder
from membench.store.records import read_records
from membench.tables.leaderboard import tables
from tests.support.report_cells import NASTY, three_tasks
from tests.support.stored_cells import put_cell, recipe

pytestmark = pytest.mark.long


class Reader(HTMLParser):
    """Collects elements, and the text of the elements named in `texts`."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, str] = {}
        self._open = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open = f"{tag}#{dict(attrs).get('id', '')}"

    def handle_data(self, data: str) -> None:
        self.text[self._open] = self.text.get(self._open, "") + data


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    return reader


def boards_of(cells: Sequence[cell_folder.Cell], **filters: Any) -> list[Board]:
    return [board(table, k, None) for k, table in enumerate(tables(cells, **filters), 1)]


def invoke(*arguments: object) -> Any:
    return CliRunner().invoke(app.main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return three_tasks(tmp_path_factory.mktemp("report") / "results")


@pytest.fixture(scope="module")
def page(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_page(cell_folder.cells(folder), path)
    return path.read_text(encoding="utf-8")


def test_the_tables_are_those_of_the_leaderboard(folder: Path, page: str) -> None:
    reader = read(page)
    shown = re.sub(r"<[^>]+>", "\n", page)
    for table in tables(cell_folder.cells(folder)):
        assert table.title in shown
        for entry in table.entries:
            assert "ft-c" in entry.label or f">{entry.label}<" in page
    heads = [attributes.get("aria-describedby") for tag, attributes in reader.elements if tag == "th"]
    ids = {attributes.get("id") for _, attributes in reader.elements}
    assert {head for head in heads if head} <= ids


def test_every_link_has_its_place_and_no_id_stands_twice(page: str) -> None:
    elements = read(page).elements
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [str(attributes["href"]) for tag, attributes in elements if tag in ("a", "use")]
    assert {link.removeprefix("#") for link in links} <= set(ids)


def test_nothing_from_results_becomes_an_element(page: str) -> None:
    reader = read(page)
    names = [tag for tag, _ in reader.elements]
    assert names.count("script") == 4  # two of data, the library, the page's own
    assert "img" not in names
    assert not any(name.startswith("on") for _, attributes in reader.elements for name in attributes)
    assert any(NASTY in text for text in reader.text.values())  # the label of the row, as text
    assert NASTY in json.loads(reader.text["script#answer-data"])["strings"]
    figures = json.loads(reader.text["script#figure-data"])
    labels = [point["label"] for view in figures for score in view["scores"] for point in score["points"]]
    assert any(NASTY in label for label in labels)


def test_the_page_asks_no_other_machine_and_says_so(page: str) -> None:
    *_, library, own = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    rest = page.replace(library, "")
    assert "http://" not in rest
    assert "https://" not in rest
    assert not re.search(r"url\((?!#)|@import|\bfetch\(|XMLHttpRequest|innerHTML|srcset", rest)
    places = [str(a[name]) for _, a in read(page).elements for name in ("src", "href") if name in a]
    assert not [place for place in places if not place.startswith(("#", "data:"))]
    (policy,) = [a["content"] for t, a in read(page).elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in str(policy)
    assert "unsafe-eval" not in str(policy)
    for script in (library, own):
        assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in str(policy)


def test_the_same_cells_give_the_same_bytes(folder: Path, page: str, tmp_path: Path) -> None:
    write_page(cell_folder.cells(folder), tmp_path / "again.html")
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == page


def test_answers_are_whole_and_repeated_ones_stand_once(folder: Path, page: str) -> None:
    data = json.loads(read(page).text["script#answer-data"])
    boards = boards_of(cell_folder.cells(folder))
    (name,) = [board.name for board in boards if board.table.recipe["task"] == "sequential"]
    table = next(t for t in data["tables"] if t["board"] == name)
    row = table["rows"].index("bm25")
    (cell,) = [c for c in cell_folder.cells(folder) if (c.recipe["task"], c.recipe["method"]) == ("sequential", "bm25")]
    stored = [r for r in read_records(cell.folder) if r["type"] == "answer" and r["question"] == "c1-q0"]
    question = next(q for q in table["questions"] if data["strings"][q[1]] == stored[0]["text"])
    found = {
        written: (data["strings"][answer], score, held)
        for r, answer, score, first, last, held in question[3]
        for written in range(first, last + 1)
        if r == row
    }
    expected = {r["written"]: (r["answer"], r["scores"]["contains"], int(r["written"] >= 2)) for r in stored}
    assert found == expected
    assert len(expected) == 6


def test_what_does_not_fit_is_left_out_and_said(folder: Path) -> None:
    cells = cell_folder.cells(folder)
    boards = boards_of(cells)
    whole = answers.answers_of(boards, read_shown(labels_of(boards), cells))
    less = answers.answers_of(boards, read_shown(labels_of(boards), cells), limit=len(whole.text) - 1)
    least = answers.answers_of(boards, read_shown(labels_of(boards), cells), limit=1500)
    assert not whole.left_out
    assert "just after its write and after the last one" in less.left_out[0]
    assert "only the first" in least.left_out[0]
    assert len(least.text) <= 1500 < len(less.text) < len(whole.text)
    assert least.count == whole.count


def filled(root: Path, text: str) -> tuple[list[Board], list[cell_folder.Cell]]:
    """The board of one method whose questions and answers are this text."""
    put_cell(root, recipe("single", "bm25"), answer=text)
    cells = cell_folder.cells(root)
    return boards_of(cells), cells


def test_the_limit_counts_bytes_and_not_characters(tmp_path: Path) -> None:
    boards, cells = filled(tmp_path, "記憶" * 400)
    whole = answers.answers_of(boards, read_shown(labels_of(boards), cells))
    size = len(whole.text.encode())
    assert size > 2 * len(whole.text)
    assert answers.answers_of(boards, read_shown(labels_of(boards), cells), limit=size).text == whole.text
    less = answers.answers_of(boards, read_shown(labels_of(boards), cells), limit=size - 1)
    assert less.left_out
    assert len(less.text.encode()) < size


def test_long_texts_are_cut_before_a_question_goes_and_no_question_is_said_so(tmp_path: Path) -> None:
    boards, cells = filled(tmp_path, "long " * 10_000)
    cut = answers.answers_of(boards, read_shown(labels_of(boards), cells), limit=20_000)
    data = json.loads(cut.text)
    assert "texts end after 2,000 characters" in cut.left_out[0]
    assert "question" not in cut.left_out[0]
    assert any(text.endswith("… (48,000 more characters)") for text in data["strings"])
    assert len(data["tables"][0]["questions"]) == 8
    none = answers.answers_of(boards, read_shown(labels_of(boards), cells), limit=400)
    assert json.loads(none.text)["tables"][0]["questions"] == []
    assert "no question is here" in none.left_out[0]
    assert "first 0" not in none.left_out[0]


def test_a_damaged_cell_lacks_its_answers_alone(tmp_path: Path) -> None:
    put_cell(tmp_path / "cells", recipe("single", "bm25"))
    put_cell(tmp_path / "cells", recipe("single", "dpr"))
    cells = cell_folder.cells(tmp_path / "cells")
    (broken,) = [cell for cell in cells if cell.recipe["method"] == "dpr"]
    with (broken.folder / "records.jsonl").open("a") as file:
        file.write("no record\n")
    found = answers.answers_of(boards := boards_of(cells), read_shown(labels_of(boards), cells))
    assert found.count == 8
    assert len(found.left_out) == 1
    done = invoke("report", tmp_path / "cells", "-o", tmp_path / "report.html")
    assert done.exit_code == 0
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"The answers of dpr in cell {broken.id} are missing" in text


def test_the_command_filters_and_says_where_the_page_is(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    done = invoke("report", folder, "-o", path, "--task", "single", "--method", "dpr")
    assert (done.exit_code, str(path) in done.output) == (0, True)
    text = path.read_text(encoding="utf-8")
    assert "sequential ·" not in text
    assert "bm25" not in text
    assert ">dpr<" in text


def test_nothing_stored_is_one_line_as_for_the_leaderboard(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    done = invoke("report", tmp_path / "results", "-o", tmp_path / "report.html")
    board = invoke("leaderboard", tmp_path / "results")
    assert (done.exit_code, done.output) == (board.exit_code, board.output)
    assert not (tmp_path / "report.html").exists()
    assert (
        invoke("report", tmp_path / "nowhere").exit_code == invoke("leaderboard", tmp_path / "nowhere").exit_code == 2
    )


@pytest.mark.parametrize(
    ("name", "form"),
    [("missing/report.html", "html"), ("", "html"), ("file/x.html", "html"), ("file/figures", "svg")],
)
def test_what_cannot_be_written_is_one_line(folder: Path, tmp_path: Path, name: str, form: str) -> None:
    (tmp_path / "file").touch()
    done = invoke("report", folder, "-o", tmp_path / name, "--format", form)
    assert done.exit_code == 2
    assert len(done.output.strip().split("\n")) == 1
    assert "Traceback" not in done.output
    assert isinstance(done.exception, SystemExit)
    assert not list(tmp_path.glob("**/*.part"))
