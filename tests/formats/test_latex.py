"""Tables for papers: whatever names and signs stand in them, LaTeX sets them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from membench.formats.latex import latex_table
from membench.overview.lines import overviews
from membench.overview.short_text import short_text
from membench.store.cell_folder import cells
from membench.tables.leaderboard import tables
from membench.tables.render import render
from tests.support.stored_cells import put_cell, recipe

SIGNS = "† ‡ ‖ = ± − – · × ≤ ≥ ≈ → ∞ Σ ρ µ μ λ ? ° … ’ “ ” % & # _ $ { } ~ ^ \\ < > | [ ] * \" ' ` -- --- -1 @ !"
NAMES = "a_b%c&d#e{f}$g^h~i\\j | é è ü ö ß ñ ç å ø æ œ ł š ő ğ ı | Þór Đặng ą ę | 漢字 | Ελλάδα Жук | \U0001f600"
PREAMBLE = "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\n"

needs_latex = pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")


def compiled(body: str, folder: Path, program: str = "pdflatex") -> None:
    (folder / "paper.tex").write_text(f"{PREAMBLE}{body}\\end{{document}}\n", encoding="utf-8")
    done = subprocess.run(
        [program, "-halt-on-error", "-interaction=nonstopmode", "paper.tex"],
        cwd=folder, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-1500:]
    assert (folder / "paper.pdf").stat().st_size > 1000


@needs_latex
def test_every_sign_and_name_compiles(tmp_path: Path) -> None:
    lines = [[sign, sign] for sign in (*SIGNS.split(), *NAMES.split())]
    text = latex_table(f"{NAMES} {SIGNS}", ["method", NAMES], [*lines, [SIGNS, NAMES]], (1,), [SIGNS, NAMES])
    compiled(f"{text}\nSee \\ref{{{re.findall('label{(.*?)}', text)[0]}}}.\n", tmp_path)


@needs_latex
def test_tables_of_stored_cells_compile(tmp_path: Path) -> None:
    for method, data in (("bm25", "jsonl:a_b & 50%.jsonl"), ("odd_one#{é}", "jsonl:漢字 [x].jsonl")):
        for task in ("single", "sequential"):
            put_cell(tmp_path / "cells", recipe(task, method, data=data))
    found = tables(cells(tmp_path / "cells"))
    compiled(f"{render(found, 'latex')}\n{short_text(overviews(found), 'latex', 0)}", tmp_path)


@pytest.mark.parametrize(
    ("text", "set_as"),
    [
        ("0.72 ±.06 =", r"0.72 $\pm$.06 ="),
        ("x ‖ y µ", r"x $\Vert$ y $\mu$"),
        ("Σρλ", r"$\Sigma$$\rho$$\lambda$"),
        ("e\u0301t\u00e9", "été"),
        ("漢字!", r"\ifdefined\Umathchar 漢字\else U+6F22 U+5B57\fi{}!"),
        ("a_b%", r"a\_b\%"),
    ],
)
def test_signs(text: str, set_as: str) -> None:
    assert f"{set_as} & 1 \\\\" in latex_table("t", ["method", "n"], [[text, "1"]])
