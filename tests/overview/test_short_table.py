"""The short table: one line a method, tasks side by side, at any width of a terminal; groups of columns; exports."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.cells import cell_len

from membench.cli import app
from membench.errors import MembenchError
from membench.overview.chosen_columns import explain
from membench.overview.lines import Overview, overviews, view
from membench.overview.short_text import cells, short_text
from membench.store import cell_folder
from membench.store.cell_folder import Cell
from membench.tables.columns import COLUMNS
from membench.tables.leaderboard import rows, tables
from tests.support.stored_cells import put_cell, recipe
from tests.support.table_cells import cell, wave

WIDTHS = (60, 80, 100, 140)
METHODS = ("bm25", "selfparam", "full-context", "memoryllm", "ft-c")


@pytest.fixture(scope="module")
def stored() -> Iterator[Path]:
    """Three tasks, a variant of settings among them, a method with a long setting, yardsticks, a damaged one."""
    root = Path(tempfile.mkdtemp())
    yardsticks: dict[str, Any] = {}
    for method, skill in (("base", 0.02), ("in-context", 0.9)):
        yardsticks[method] = put_cell(root, recipe("gold", method), skill=skill)["summary"]
    for task in ("single", "batch", "sequential"):
        for k, method in enumerate(METHODS):
            settings = {"targets": "recorded:a/long/path/to/some/targets.jsonl"} if method == "selfparam" else {}
            put_cell(
                root, recipe(task, method, settings=settings), contexts=8, skill=0.8 - 0.1 * k, yardsticks=yardsticks
            )
    put_cell(root, recipe("single", "ft-c", settings={"lr": 0.5}), contexts=8, skill=1.0, yardsticks=yardsticks)
    yield root
    shutil.rmtree(root)


def shown(root: Path, width: int, *arguments: str) -> list[str]:
    """The lines that the command prints into a pseudo-terminal of this width, without colours."""
    parent, child = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(width), "LINES": "50", "TERM": "xterm"}
    command = [sys.executable, "-m", "membench", "leaderboard", str(root), *arguments]
    with subprocess.Popen(command, stdout=child, stderr=child, stdin=child, env=environment) as process:
        os.close(child)
        parts = []
        while part := _read(parent):
            parts.append(part)
        assert process.wait(60) == 0, b"".join(parts).decode()
    os.close(parent)
    text = b"".join(parts).decode().replace("\r\n", "\n")
    return re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()


def _read(parent: int) -> bytes:
    try:
        return os.read(parent, 65536)
    except OSError:  # Linux says so when the other end is closed
        return b""


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app.main, ["leaderboard", *map(str, arguments)])


@pytest.mark.parametrize("width", WIDTHS)
def test_it_is_legible_in_a_terminal_of_any_width(stored: Path, width: int) -> None:
    lines = shown(stored, width)
    assert max(map(cell_len, lines)) <= width, lines
    body = lines[next(k for k, line in enumerate(lines) if line.startswith("──")) + 1 :]
    body = body[: body.index("")]
    names = [re.split(r"  +", line)[0].removesuffix(" ‡") for line in body]
    assert names[0].startswith("in-context (ref")
    assert names[-1] == "base (floor)"
    assert {name.split()[0] for name in names[1:-1]} == set(METHODS), "a line a method, and no name is cut"
    assert len(body) == len(METHODS) + 2
    numbers = {len(re.split(r"  +", line.strip())) for line in body}
    assert len(numbers) == 1
    assert "…" not in "".join(lines)
    left = {60: "after 8 writes, write s, memory, read s", 80: "read s"}.get(width, "")
    assert [line for line in lines if line.startswith("too narrow")] == [f"too narrow for: {left}"] * bool(left)
    seconds = [s for s in ("write s a text", "read s a question") if s[:6] not in left]
    assert lines[1] == "; ".join(["share answered right, 95 % interval", ", ".join(seconds)]).removesuffix("; ")


def test_columns_that_are_asked_for_are_never_left_out(stored: Path) -> None:
    lines = shown(stored, 60, "--columns", "cost", "-t", "batch")
    assert max(map(cell_len, lines)) <= 60
    heads = " ".join(lines)
    for head in ("write s", "read s", "state", "growth"):
        assert re.search(head.replace(" ", r"\s+"), heads), head
    assert sum(line.startswith("bm25 ") for line in lines) > 1, "each part has the names"


def wide_cell(method: str, centre: float, **more: Any) -> Cell:
    return cell(method, wave(centre, len(method)), **more)


def board(*those: Cell, **filters: Any) -> Overview:
    (made,) = overviews(tables(those, **filters), sort=filters.get("sort"))
    return made


def lines_of(overview: Overview) -> Mapping[str, Sequence[str]]:
    return {row[0]: row[1:] for row in cells(overview, "label")[1]}


def test_tasks_stand_side_by_side_and_the_joint_one_ranks() -> None:
    made = board(
        *(wide_cell("bm25", 0.7, task=task) for task in ("single", "batch")),
        *(wide_cell("ft-c", x, task=task) for task, x in (("single", 0.9), ("batch", 0.2))),
        wide_cell("only-alone", 0.99),
    )
    assert [measure.head for measure in made.measures][:2] == ["alone", "together"]
    assert list(lines_of(made)) == ["bm25", "ft-c", "only-alone"]
    assert lines_of(made)["only-alone"][1] == "–"
    assert made.title == "worlds · tiny · 20 texts"


def test_rehearsed_and_other_facts_stand_side_by_side_where_a_table_has_both() -> None:
    def told(method: str, **views: float) -> Cell:
        plain = wide_cell(method, 0.5, task="batch")
        parts = {
            f"contains/{view}": cell(method, [x] * 20).result["summary"]["contains/all"] for view, x in views.items()
        }
        return replace(plain, result={**plain.result, "summary": {**plain.result["summary"], **parts}})

    alone = wide_cell("bm25", 0.7)
    made = board(told("ft-s", rehearsed=1.0, unrehearsed=0.0), told("bm25", rehearsed=0.5), alone)
    assert [measure.head for measure in made.measures][:3] == ["alone", "together", "rehearsed / not"]
    assert {name: line[2] for name, line in lines_of(made).items()} == {"ft-s": "1.0/.00 †", "bm25": "–"}
    none = board(told("ft-s", rehearsed=1.0), alone)
    assert "rehearsed / not" not in [measure.head for measure in none.measures]
    assert explain("rehearsed / not").startswith("rehearsed / not: share right of the facts that")


def test_the_newest_version_stands_in_its_line_then_most_seeds_then_fewest_settings_whatever_they_score() -> None:
    tuned = [wide_cell("ft-c", 0.9, settings={"lr": lr}, defaults={"lr": 1.0}) for lr in (0.1, 0.2)]
    plain = wide_cell("ft-c", 0.3, settings={"lr": 1.0}, defaults={"lr": 1.0})
    other = wide_cell("bm25", 0.5)
    assert lines_of(board(*tuned, plain, other))["ft-c"][0].startswith("0.30 ")
    two = board(
        tuned[0], wide_cell("ft-c", 0.4, settings={"lr": 0.3, "rank": 8}, defaults={"lr": 1.0, "rank": 4}), other
    )
    assert lines_of(two)["ft-c lr=0.1"][0].startswith("0.90 "), "the fewest settings that differ"
    seeds = [wide_cell("ft-c", 0.4, seed=s, settings={"lr": 0.1}, defaults={"lr": 1.0}) for s in (0, 1)]
    assert lines_of(board(*seeds, plain, other))["ft-c lr=0.1 (2 seeds)"][0].startswith("0.40 "), "most seeds first"
    newer = wide_cell("ft-c", 0.2, method_version=2, settings={"lr": 0.1}, defaults={"lr": 1.0})
    assert lines_of(board(*seeds, plain, newer, other))["ft-c lr=0.1 version=2"][0].startswith("0.20 "), "the newest"
    (each,) = overviews(tables([*tuned, plain, other]), by_settings=True)
    assert set(lines_of(each)) == {"bm25", "ft-c", "ft-c lr=0.1", "ft-c lr=0.2"}


def test_a_line_of_several_settings_says_so() -> None:
    batch = wide_cell("ft-c", 0.4, task="batch", settings={"lr": 0.1}, defaults={"lr": 1.0})
    made = board(wide_cell("ft-c", 0.4, settings={"lr": 1.0}, defaults={"lr": 1.0}), batch, wide_cell("bm25", 0.5))
    assert "ft-c ‡" in lines_of(made)
    assert "‡ whole name and settings: --settings" in short_text([made], "md", 80)


def test_signs_say_what_is_not_told_apart_and_what_one_seed_cannot_say() -> None:
    near = [wide_cell("bm25", 0.7), wide_cell("dpr", 0.7)]
    made = board(*near, wide_cell("raptor", 0.2), wide_cell("ft-c", 0.6, trained=9.0))
    signs = {line.first.method: line.sign for line in made.lines}
    assert signs == {"bm25": "=", "dpr": "=", "raptor": "", "ft-c": "?"}
    alone = board(near[0], wide_cell("raptor", 0.2))
    assert {line.sign for line in alone.lines} == {""}, "a best that nothing equals has no sign"
    against = board(*near, wide_cell("raptor", 0.2), against="bm25")
    assert {line.first.method: line.sign for line in against.lines} == {"bm25": "", "dpr": "=", "raptor": ""}
    assert "= not told apart from bm25" in short_text([against], "md", 80)


def test_an_interval_stays_within_what_a_share_can_be() -> None:
    made = board(cell("none", [0.0] * 20), cell("all", [1.0] * 20), cell("some", [0.0] * 19 + [1.0]))
    found = {name: line[0] for name, line in lines_of(made).items()}
    assert found["none"].startswith("0.00 .00–.1")
    assert re.match(r"1.00 \.\d\d–1.0 ", found["all"])
    assert re.match(r"0.05 \.0\d–\.\d\d ", found["some"])
    assert "±0.00" not in short_text([made], "md", 80)


def test_below_the_table_stand_at_most_three_notes_and_why_a_cell_failed() -> None:
    broken = wide_cell("ft-s", 0.5)
    broken = replace(broken, result={**broken.result, "status": "failed", "reason": "it broke"})
    made = board(
        wide_cell("bm25", 0.7), wide_cell("dpr", 0.7), wide_cell("ft-c", 0.6, trained=9.0, settings={"lr": 2}), broken
    )
    text = short_text([made], "rich", 80)
    assert "failed" in lines_of(made)["ft-s"]
    assert "ft-s, single: failed: it broke" in text
    notes = re.sub(r"\x1b\[[0-9;]*m", "", text).split("\n\n")[-1].splitlines()
    assert len(notes) == 3 + 1, notes


def test_one_task_has_its_score_beside_what_it_is_made_of() -> None:
    plain = wide_cell("bm25", 0.7)
    extra = {
        f"contains/{view}": plain.result["summary"]["contains/all"] for view in ("rehearsed", "unrehearsed", "placebo")
    }
    told = replace(plain, result={**plain.result, "summary": {**plain.result["summary"], **extra}})
    (table,) = tables([told, wide_cell("dpr", 0.5)])
    heads = [measure.head for measure in view(table).measures]
    assert heads == ["contains", "rehearsed", "unrehearsed", "placebo", "write s"]
    assert not any("recovery" in head for head in heads)
    assert view(table).title == "single · worlds · tiny · 20 texts, 9 questions"


def test_each_recovery_is_of_the_questions_of_the_score_before_it(stored: Path) -> None:
    heads = [column.head for column in COLUMNS]
    assert heads.index("contains") < heads.index("recovery") < heads.index("rehearsed")
    assert heads[heads.index("rehearsed") + 1] == "recovery rehearsed"
    found = [row for row in rows(cell_folder.cells(stored), task="single", method="bm25") if row["method"] == "bm25"]
    told = {row["subset"]: row["recovery"] for row in found if row["metric"] == "contains"}
    both = call(stored, "-t", "single", "-m", "bm25", "--columns", "recovery,recovery rehearsed").stdout
    line = next(line for line in both.splitlines() if line.startswith("| bm25"))
    assert f"| {told['all']:.2f} " in line
    assert f"| {told['rehearsed']:.2f} " in line


@pytest.mark.parametrize("group", ["cost", "quality", "risk", "all", "F1,write s", "state_bytes_per_context"])
def test_columns_by_group_head_or_name(stored: Path, group: str) -> None:
    done = call(stored, "--columns", group, "-t", "sequential")
    assert done.exit_code == 0, done.stderr
    heads = {
        "cost": "state", "quality": "F1", "risk": "forgetting", "all": "coverage", "F1,write s": "write s",
        "state_bytes_per_context": "state",
    }  # fmt: skip
    assert f"| {heads[group]} |" in done.stdout


def test_a_column_is_explained_and_an_unknown_one_refused(stored: Path) -> None:
    assert call("--explain", "MDE").stdout.startswith("MDE: minimum detectable effect")
    assert call("--explain", "Alone").stdout.startswith("Alone: the task single")
    assert call("--explain", "after 20 writes").exit_code == 0
    assert all(explain(column.head).startswith(f"{column.head}: ") for column in COLUMNS)
    with pytest.raises(MembenchError, match="unknown column 'recovry': did you mean 'recovery'"):
        explain("recovry")
    wrong = call(stored, "--columns", "recovry")
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert "no table here has EM" in call(stored, "--columns", "EM").stderr


def test_wide_is_a_row_a_method_and_labels_are_those_that_are_printed(stored: Path) -> None:
    found = list(csv.DictReader(io.StringIO(call(stored, "--wide").stdout)))
    assert found[0]["method"] == "in-context"
    assert sorted(row["method"] for row in found) == sorted([*METHODS, "base", "in-context"])
    long = json.loads(call(stored, "--format", "json").stdout)
    score = next(
        r["score"] for r in long
        if (r["method"], r["task"], r["metric"], r["subset"]) == ("bm25", "batch", "contains", "all")
    )  # fmt: skip
    assert float(next(row for row in found if row["method"] == "bm25")["batch.contains/all"]) == pytest.approx(score)
    printed = call(stored, "--columns", "all").stdout.replace("\\", "")
    assert all(f"| {row['label']} |" in printed for row in long)
    every = json.loads(call(stored, "--wide", "--settings", "--format", "json").stdout)
    assert {"ft-c", "ft-c lr=0.5"} <= {row["label"] for row in every}
    assert call(stored, "--wide", "--format", "md").exit_code == 2
    assert call(stored, "--columns", "cost", "--format", "csv").exit_code == 2


def test_latex_is_of_the_columns_that_are_asked_for_and_has_labels(stored: Path, tmp_path: Path) -> None:
    short = call(stored, "--format", "latex").stdout
    assert r"\label{tab:worlds-some-model-8-texts}" in short
    assert short.count(r"\toprule") == 1
    chosen = call(stored, "--format", "latex", "--columns", "cost").stdout
    assert chosen.count(r"\toprule") == 3
    assert len(set(re.findall(r"\\label\{[^}]*\}", chosen))) == 3
    if (latex := shutil.which("pdflatex")) is None:
        pytest.skip("no pdflatex here")
    page = tmp_path / "page.tex"
    everything = call(stored, "--format", "latex", "--columns", "all").stdout
    page.write_text(
        "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\n"
        f"{short}\n{chosen}\n{everything}\\end{{document}}\n"
    )
    done = subprocess.run(
        [latex, "-interaction=nonstopmode", "-halt-on-error", page.name], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    assert (tmp_path / "page.pdf").stat().st_size > 1000


def test_where_there_is_no_room_tasks_that_few_methods_played_go_first() -> None:
    common = ["single", "batch", *(f"task{k}" for k in range(6))]
    found = [cell(method, wave(0.5, k), task=task) for task in common for k, method in enumerate(METHODS)]
    (overview,) = overviews(tables([*found, cell("bm25", wave(0.5), task="seldom")]))
    heads = [measure.head for measure in overview.measures if not measure.cost]
    assert heads[:3] == ["alone", "together", "task0"]
    assert "seldom" not in heads


def test_where_there_is_no_room_damage_and_what_writes_leave_stand_before_other_tasks() -> None:
    common = ["single", "batch", *(f"task{k}" for k in range(6))]
    found = [cell(method, wave(0.5, k), task=task) for task in common for k, method in enumerate(METHODS)]
    probes, sequence = (cell("bm25", wave(0.5), task=task) for task in ("probes", "sequence"))
    metric = probes.result["summary"]["contains/all"]
    probes.result["summary"].update({"efficacy/all": metric, "damage/all": metric})
    sequence.result["summary"]["contains/final"] = metric
    (overview,) = overviews(tables([*found, probes, sequence]))
    heads = [measure.head for measure in overview.measures if not measure.cost]
    assert [heads[0], heads[1], heads[-1]] == ["alone", "together", "damage"]
    assert heads[-2].startswith("after")
