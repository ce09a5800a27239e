"""benchmarks/tables.py: the documents' blocks are made anew from stored results, and nothing else is touched."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import membench

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
with pytest.MonkeyPatch.context() as _patch:  # no longer than that: other libraries look for modules by name too
    _patch.syspath_prepend(str(ROOT / "benchmarks"))
    script = runpy.run_path(str(ROOT / "benchmarks" / "tables.py"))["main"]
BEFORE = "# Title\n\nAs it was, with a | and trailing space \n\n"
AFTER = "\n\n<!-- a remark of the author -->\nLast line, no newline"


def block(name: str, body: str = "") -> str:
    return f"<!-- table: {name} -->\n{body}<!-- end -->"


@pytest.fixture(scope="module")
def results(tiny: Path, data_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run on the tiny model."""
    folder = tmp_path_factory.mktemp("tables") / "results"
    membench.run("bm25", "single", data=f"jsonl:{data_file}", model=str(tiny), output=folder)
    return folder


def tables(*arguments: object) -> Result:
    return CliRunner().invoke(script, [str(part) for part in arguments])


def test_blocks_are_replaced_and_the_rest_is_untouched(results: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(BEFORE + block("single jsonl tiny", "old | numbers\n") + "\n\n" + block("columns") + AFTER)
    stale = tables("--check", "--results", results, page)
    assert (stale.exit_code, "old | numbers" in page.read_text()) == (1, True)

    assert tables("--results", results, page).exit_code == 0
    text = page.read_text()
    assert text.startswith(BEFORE)
    assert text.endswith(AFTER)
    assert "old | numbers" not in text
    head = next(line for line in text.splitlines() if line.startswith("| method | contains |"))
    assert head.endswith("| F1 | fid F1 | fid KL | write s | read s | state | coverage |")
    assert [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| ")][2:] == [
        "| base (floor)", "| in-context (reference)", "| bm25",
    ]  # fmt: skip
    assert "- **recovery**: (contains − floor) / (reference − floor)" in text
    assert tables("--check", "--results", results, page).exit_code == 0


def test_a_full_block_holds_every_section(results: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(block("full single jsonl tiny") + "\n")
    assert tables("--results", results, page).exit_code == 0
    text = page.read_text()
    assert "memory\n\n| method |" in text
    assert "answers and cost\n\n| method | EM |" in text


def test_settings_are_those_of_the_code(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(block("settings bm25,base"))
    assert tables("--results", tmp_path / "none", page).exit_code == 0
    assert "| setting | bm25 | base |" in page.read_text()
    assert "| k1 | 1.5 |  |" in page.read_text()


def test_a_block_without_results_is_emptied(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(block("single worlds some-model", "numbers of nobody\n"))
    done = tables("--results", tmp_path / "none", page)
    assert page.read_text() == block("single worlds some-model")
    assert "nothing is stored for block 'single worlds some-model'" in done.stderr


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<!-- table: columns -->\nno end\n", "one does not"),
        ("<!-- table: columns -->\n" + block("columns"), "one does not"),
        (block("single worlds"), "write [full|card|curves|short|kept] TASK DATA MODEL"),
    ],
)
def test_a_malformed_block_is_refused_and_the_file_kept(tmp_path: Path, text: str, why: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    done = tables("--results", tmp_path / "none", page)
    assert (done.exit_code, page.read_text()) == (2, text)
    assert why in done.stderr


def test_the_documents_are_up_to_date(tmp_path: Path) -> None:
    pages = [
        shutil.copy(ROOT / name, tmp_path)
        for name in (
            "README.md",
            "docs/reference.md",
            "docs/results.md",
            "docs/columns.md",
            "docs/methods.md",
            "docs/scores.md",
        )
    ]
    done = tables("--check", *pages)
    assert done.exit_code == 0, done.output
