"""Names, settings and answers that would steer what shows them: in every table, figure and page."""

from __future__ import annotations

import json
import re
import unicodedata
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from membench.cli import app
from membench.figures import write_figures
from membench.report import write_page
from membench.store import cell_folder
from membench.text.visible import visible, visible_lines
from tests.support.stored_cells import put_cell, recipe

HOSTILE = {
    "colours": "\x1b[31mred\x1b]0;title\x07", "null": "a\x00b", "bells": "a\x07\x08\x0b\x0c\x7f", "c1": "a\x9b31mb\x85",
    "direction": "a\u202eb\u2066c\u200f", "lines": "a\r\nb\u2028c", "nonchars": "a\ufffe\uffffb", "private": "a\ue000b",
    "half": "a\ud83db", "tex": r"a\input{/etc/passwd}^^M%$&_~#{}", "html": "</text><script>alert(1)</script>&amp;",
}  # fmt: skip


def steering(text: str) -> set[str]:
    """Characters of a text that steer a terminal or the direction of writing, or can be in no file."""
    kinds = ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp")
    return {letter for letter in text if unicodedata.category(letter) in kinds and letter not in "\n\u200c\u200d"}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_visible_steers_nothing(name: str) -> None:
    assert not steering(visible(HOSTILE[name]))
    assert "\n" not in visible(f"a\n{HOSTILE[name]}")
    assert visible_lines("a\nb\x00") == "a\nb "
    assert (
        visible("Ελλάδα — naïve 👩\u200d🚀 艾达 می\u200cروم 3½ “x”")
        == "Ελλάδα — naïve 👩\u200d🚀 艾达 می\u200cروم 3½ “x”"
    )


@pytest.fixture(params=[name for name in HOSTILE if name != "half"])  # which no file of a cell can hold
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Cells whose data, model, settings and answers hold hostile texts."""
    text = HOSTILE[request.param]
    named: dict[str, Any] = {"data": f"jsonl:{text}", "model": f"tiny {text}"}
    root = tmp_path / "results"
    put_cell(root, recipe("gold", "base", **named), skill=0.1)
    put_cell(root, recipe("gold", "in-context", **named), skill=0.9)
    put_cell(root, recipe("single", "bm25", **named, settings={"note": text}), skill=0.7, answer=text)
    put_cell(root, recipe("single", "dpr", **named, settings={"note": text}), skill=0.5, answer=text)
    return root


@pytest.mark.parametrize("form", ["md", "latex", "rich", "json"])
def test_no_table_lets_them_through(root: Path, form: str) -> None:
    done = CliRunner().invoke(app.main, ["leaderboard", str(root), "--format", form])
    assert done.exit_code == 0, done.output
    text = re.sub(r"\x1b\[[\d;]*m", "", done.stdout) if form == "rich" else done.stdout
    if form == "json":
        assert {row["data"] for row in json.loads(text)}
        assert not {letter for letter in text if letter < " " and letter != "\n"}
        return
    assert "bm25" in text
    assert not steering(text)
    if form == "latex":
        assert r"\input" not in text
        assert "^^" not in text


def test_no_figure_and_no_page_lets_them_through(root: Path, tmp_path: Path) -> None:
    cells = cell_folder.cells(root)
    written = write_figures(cells, tmp_path / "figures", "svg")
    assert written
    for path in written:
        text = path.read_text(encoding="utf-8")
        assert not steering(text)
        assert "<script" not in text
        assert ET.fromstring(text).tag.endswith("svg")
    assert write_figures(cells, tmp_path / "figures", "png")
    assert write_page(cells, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    page = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)  # answers are shown as text by the page's script
    assert not steering(page) - {"\t"}


@pytest.mark.parametrize(
    ("command", "name"),
    [(("report", "ROOT", "-o"), "report.html"), (("report", "ROOT", "--format", "svg", "-o"), "figures"),
     (("export", "-o", "ROOT"), "rows.csv"), (("export", "--form", "lm-eval", "-o", "ROOT"), "results.json")],
)  # fmt: skip
@pytest.mark.parametrize("leads", ["file", "folder", "nowhere"])
def test_what_is_written_does_not_follow_a_link(
    command: tuple[str, ...], name: str, leads: str, tmp_path: Path
) -> None:
    root, place, link = tmp_path / "results", tmp_path / "place", tmp_path / name
    for method in ("base", "in-context"):
        put_cell(root, recipe("gold", method))
    put_cell(root, recipe("single", "bm25"))
    if leads == "file":
        place.write_text("mine", encoding="utf-8")
    elif leads == "folder":
        place.mkdir()
    link.symlink_to(place)
    done = CliRunner().invoke(app.main, [str(root) if part == "ROOT" else part for part in command] + [str(link)])
    assert (done.exit_code, done.output.count("\n")) == (2, 1)
    assert f"{link} is a symbolic link" in done.output or f"{link}' is a directory" in done.output
    assert link.is_symlink()
    assert list(place.iterdir()) == [] if leads == "folder" else place.exists() == (leads == "file")
    assert leads != "file" or place.read_text(encoding="utf-8") == "mine"
