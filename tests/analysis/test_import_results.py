"""Results of other harnesses as cells: tables, tests, report and verify treat them as any others."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from membench.analysis.compare import compare
from membench.analysis.import_results import bring_in
from membench.analysis.rescore import rescore
from membench.analysis.several_folders import cells_of
from membench.analysis.verify import verify
from membench.cli.app import main
from membench.errors import MembenchError
from membench.imported.csv_table import read_csv
from membench.report.answers import answers_of
from membench.report.board import board
from membench.report.brief import brief
from membench.report.shown_records import Shown
from membench.store import cell_folder
from membench.tables.leaderboard import rows, tables

LOGS = Path(__file__).parent.parent / "data" / "inspect"
MEANS = {"ours": 0.85, "alike": 0.35, "theirs": 0.3}


def called(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def lines(seed: int = 1, methods: tuple[str, ...] = tuple(MEANS)) -> list[str]:
    """Three items on each of 24 texts."""
    draw = random.Random(seed)
    return [
        f"q{c}-{k},text {c},{method},{int(draw.random() < MEANS[method])}"
        for c in range(24) for k in range(3) for method in methods
    ]  # fmt: skip


def table(path: Path, body: list[str]) -> Path:
    path.write_text("\n".join(["item,context,method,score", *body]) + "\n")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three methods brought in from one table."""
    root = tmp_path_factory.mktemp("imported")
    bring_in(read_csv(str(table(root / "r.csv", lines()))), root / "cells")
    return root / "cells"


def test_the_leaderboard_says_what_is_resolved(folder: Path) -> None:
    (found,) = tables(cell_folder.cells(folder))
    assert [(e.label, e.standing and e.standing.group) for e in found.entries] == [
        ("ours", "a"), ("alike", "b"), ("theirs", "b"),
    ]  # fmt: skip
    assert found.title.endswith("· csv · 24 contexts, 72 questions")
    scores = [float(line.rpartition(",")[2]) for line in lines() if ",ours," in line]
    assert found.entries[0].value("score") == pytest.approx(sum(scores) / 72, abs=1e-6)
    ends = found.entries[0].interval("score")
    assert ends
    assert 0.7 < (ends.low or 0) < ends.value < (ends.high or 2) < 1  # a share: Wilson's, within [0, 1]


def test_what_is_not_known_is_empty_and_said(folder: Path) -> None:
    row = rows(cell_folder.cells(folder))[0]
    assert {row[n] for n in ("write_seconds_per_context", "read_seconds_per_question", "state_bytes")} == {None}
    assert row["reason"] == "results of csv, as it scored them; what writing and reading cost is not known"
    text = CliRunner().invoke(main, ["leaderboard", str(folder)]).stdout
    assert text.count("what writing and reading cost is not known") == 1
    assert "write s" not in text


def test_compare_needs_no_name_of_a_score(folder: Path) -> None:
    (found,) = compare(cell_folder.cells(folder), "ours", "theirs")
    assert (found.metric, found.verdict) == ("score/all", "ours is higher")
    assert found.wins + found.losses + found.ties == 72
    (same,) = compare(cell_folder.cells(folder), "alike", "theirs")
    assert same.verdict == "not resolved"


def test_they_verify_and_keep_their_scores(folder: Path, tmp_path: Path) -> None:
    assert [v.problems for v in verify(folder)] == [(), (), ()]
    before = rows(cell_folder.cells(folder))
    assert all(cell.refused is None and cell.changed is None for cell in rescore(folder, []))
    assert [r["score"] for r in rows(cell_folder.cells(folder))] == [r["score"] for r in before]


def test_the_report_says_what_is_resolved_and_nothing_of_costs(folder: Path, tmp_path: Path) -> None:
    (found,) = tables(cell_folder.cells(folder))
    first, *_ = brief(board(found, 1, None), None)
    assert first.endswith(
        f"with csv (imported, 24 texts): ours answers best (score {found.entries[0].value('score'):.2f})."
    )
    again = [line.replace("ours", "twin") for line in lines(3, ("ours",))]
    bring_in(read_csv(str(table(tmp_path / "r.csv", [*lines(), *again]))), tmp_path / "cells")
    (found,) = tables(cell_folder.cells(tmp_path / "cells"))
    first, *_ = brief(board(found, 1, None), None)
    assert "twin answer best (" in first or "and ours answer best (" in first
    assert first.endswith("not told apart).")


def test_the_same_again_is_there_and_another_joins_its_table(folder: Path, tmp_path: Path) -> None:
    path = table(tmp_path / "r.csv", lines())
    assert len(bring_in(read_csv(str(path)), tmp_path / "cells").written) == 3
    again = bring_in(read_csv(str(path)), tmp_path / "cells")
    assert (again.written, len(again.there)) == ((), 3)
    other = [line.replace("theirs", "late") for line in lines(5, ("theirs",))]
    bring_in(read_csv(str(table(tmp_path / "late.csv", other))), tmp_path / "cells")
    (found,) = tables(cell_folder.cells(tmp_path / "cells"))
    assert len(found.entries) == 4


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda body: body[:-1], "theirs lacks item 'q23-2' of "),
        (lambda body: [*body, "q99,text 1,alike,1"], "lacks item 'q99' of "),
        (
            lambda body: [body[0].replace("text 0", "text 1"), *body[1:]],
            "item 'q0-0' of alike has context 'text 0', and 'text 1' in ",
        ),
    ],
)
def test_other_items_are_refused_before_anything_is_written(tmp_path: Path, spoil, said: str) -> None:  # type: ignore[no-untyped-def]
    path = table(tmp_path / "r.csv", spoil(lines()))
    done = CliRunner().invoke(main, ["import", "csv", str(path), "-o", str(tmp_path / "cells")])
    assert (done.exit_code, said in done.stderr, done.stderr.count("\n")) == (2, True, 1)
    assert not (tmp_path / "cells").exists()


def test_a_method_called_base_is_no_floor(tmp_path: Path) -> None:
    names = {"ours": "base", "theirs": "in-context"}
    body = [line.replace(old, new) for line in lines(1, tuple(names)) for old, new in names.items() if old in line]
    bring_in(read_csv(str(table(tmp_path / "r.csv", body))), tmp_path / "cells")
    (found,) = tables(cell_folder.cells(tmp_path / "cells"))
    assert [(e.label, e.standing and e.standing.group) for e in found.entries] == [("base", "a"), ("in-context", "b")]


def test_other_results_of_one_row_are_refused(tmp_path: Path) -> None:
    bring_in(read_csv(str(table(tmp_path / "r.csv", lines(1)))), tmp_path / "cells")
    with pytest.raises(MembenchError, match="holds other results of ours, seed 0, on these items"):
        bring_in(read_csv(str(table(tmp_path / "r.csv", lines(2)))), tmp_path / "cells")


def test_two_results_of_one_seed_are_no_two_seeds(tmp_path: Path) -> None:
    for seed in (1, 2):
        path = table(tmp_path / f"{seed}.csv", lines(seed, ("ours",)))
        assert called("import", "csv", path, "-o", tmp_path / f"cells{seed}").exit_code == 0
    (found,) = tables(cells_of([tmp_path / "cells1", tmp_path / "cells2"]))
    assert len({entry.label for entry in found.entries}) == 2
    assert all(entry.label.startswith("ours sha256=") for entry in found.entries)


def test_scores_on_another_scale_have_a_table_that_is_shown(tmp_path: Path) -> None:
    for name, top in (("a", 1), ("b", 2)):
        path = table(tmp_path / f"{name}.csv", [f"q{k},text {k},{name},{k % (top + 1)}" for k in range(9)])
        assert called("import", "csv", path, "-o", tmp_path / "cells").exit_code == 0
    text = called("leaderboard", tmp_path / "cells").stdout
    assert ("| a |" in text, "| b |" in text) == (True, True)


def test_show_has_the_scores_of_each_item(folder: Path) -> None:
    name = next(path.name for path in folder.glob("*--ours--*"))
    shown = called("show", name, folder).stdout
    assert "| written | question | accepted | answer | score |" in shown
    assert "| yes | q0-0 |  |  | 1.00 |" in shown


def test_the_first_score_ranks_whatever_the_others_are_called(tmp_path: Path) -> None:
    log = json.loads(gzip.decompress((LOGS / "good.json.gz").read_bytes()))
    for k, sample in enumerate(log["samples"]):
        sample["scores"] = {"mine/a": {"value": k % 2}, "b": {"value": 1}, "contains": {"value": 0}}
    (tmp_path / "log.json").write_text(json.dumps(log))
    out = tmp_path / "cells"
    assert called("import", "inspect", tmp_path / "log.json", "-o", out).exit_code == 0
    assert "| method | mine.a |" in called("leaderboard", out).stdout
    (found,) = tables(cell_folder.cells(out))
    shown = board(found, 1, None)
    records = {i: cell_folder.records_of(cell_folder.find(out, i)) for e in found.entries for i in e.ids}
    assert (
        json.loads(answers_of([shown], Shown(records, ())).text)["tables"][0]["score"] == shown.metric.partition("/")[0]
    )
    odd = called("leaderboard", out, "--sort", "mine/a")
    assert (odd.exit_code, odd.stderr) == (2, "membench: unknown metric 'mine/a': did you mean 'mine.a'?\n")


def test_a_score_that_cannot_be_stored_leaves_no_folder(tmp_path: Path) -> None:
    path = table(tmp_path / "r.csv", ["q,text,ours,-1e99"])
    done = called("import", "csv", path, "-o", tmp_path / "cells")
    assert (done.exit_code, f"{path}:2: score -1e+99 is beyond" in done.stderr, done.stderr.count("\n")) == (2, True, 1)
    assert not (tmp_path / "cells").exists()


def test_logs_of_inspect_join_their_epochs(tmp_path: Path) -> None:
    paths = []
    for name in ("good", "poor"):
        paths.append(tmp_path / f"{name}.json")
        paths[-1].write_bytes(gzip.decompress((LOGS / f"{name}.json.gz").read_bytes()))
    done = CliRunner().invoke(main, ["import", "inspect", *map(str, paths), "-o", str(tmp_path / "cells")])
    assert done.stdout.startswith("4 results on 6 items stored in ")
    (found,) = tables(cell_folder.cells(tmp_path / "cells"), sort="f1")
    assert [entry.label for entry in found.entries] == ["squad6@good (2 seeds)", "squad6@poor (2 seeds)"]
    text = CliRunner().invoke(main, ["leaderboard", str(tmp_path / "cells"), "--columns", "quality"]).stdout
    assert "| method | includes | f1 |" in text  # once: not as the column of membench's own F1 too
    assert all(v.ok for v in verify(tmp_path / "cells"))
