from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import membench
from membench.cli.app import main
from membench.errors import MembenchError
from membench.planning.request import Request
from membench.plugins import registry
from membench.running.session import Session
from membench.store.cell_folder import write_targets
from membench.values import Pair
from tests.support.stored_cells import put_cell, recipe


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def played(tiny: Path, data_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A results folder with one run in it, and what the run printed."""
    folder = tmp_path_factory.mktemp("run") / "results"
    return folder, call(*run_arguments(tiny, data_file, folder))


def run_arguments(tiny: Path, data_file: Path, folder: Path, *more: str) -> list[object]:
    return [
        "run",
        "-m",
        "bm25",
        "-t",
        "single",
        "--data",
        f"jsonl:{data_file}",
        "--model",
        tiny,
        "-L",
        2,
        "-o",
        folder,
        *more,
    ]


def test_run_prints_the_table_on_stdout_and_progress_on_stderr(played: tuple[Path, Result]) -> None:
    folder, result = played
    assert result.exit_code == 0, result.stderr
    assert "bm25" in result.stdout
    assert "in-context" in result.stdout
    assert "loading" in result.stderr
    assert "loading" not in result.stdout
    assert len(list(folder.glob("*/result.json"))) == 3


def test_the_same_command_again_plays_nothing(played: tuple[Path, Result], tiny: Path, data_file: Path) -> None:
    folder, first = played
    call(*run_arguments(tiny, data_file, folder))  # in this test's own cache, which then knows how the model is read
    again = call(*run_arguments(tiny, data_file, folder))
    assert again.exit_code == 0
    assert "loading" not in again.stderr
    assert again.stdout == first.stdout


def test_run_json_is_rows_and_nothing_else(played: tuple[Path, Result], tiny: Path, data_file: Path) -> None:
    rows = json.loads(call(*run_arguments(tiny, data_file, played[0], "--json")).stdout)
    assert {"task", "method", "metric", "score", "ci_low", "coverage", "cells"} <= rows[0].keys()
    assert {row["method"] for row in rows} == {"base", "in-context", "bm25"}


def test_dry_run_plays_nothing(tiny: Path, data_file: Path, tmp_path: Path) -> None:
    result = call(*run_arguments(tiny, data_file, tmp_path / "r", "--dry-run"))
    assert result.exit_code == 0, result.stderr
    assert "3 cells, 0 of them done" in result.stdout
    assert not (tmp_path / "r").exists()


def test_dry_run_says_what_it_would_fetch(data_file: Path) -> None:
    arguments = ["run", "-m", "bm25", "-t", "single", "--data", f"jsonl:{data_file}", "--dry-run", "--json"]
    planned = json.loads(call(*arguments).stdout)
    assert planned["fetch"][0].startswith("smollm2-135m: ")
    assert [cell["state"] for cell in planned["cells"]] == ["to play"] * 3


def test_leaderboard_filters_and_formats(played: tuple[Path, Result]) -> None:
    rows = json.loads(call("leaderboard", played[0], "--task", "single", "--method", "bm25", "--format", "json").stdout)
    assert {row["method"] for row in rows} == {"base", "in-context", "bm25"}
    assert call("leaderboard", played[0], "--format", "csv").stdout.startswith("task,")
    assert "bm25" in call("leaderboard", played[0], "--format", "latex").stdout
    assert "nothing stored" in call("leaderboard", played[0], "--task", "batch").stderr


def test_ls_runs_and_show(played: tuple[Path, Result]) -> None:
    runs = json.loads(call("ls", "runs", "-o", played[0], "--json").stdout)
    one = next(run["id"] for run in runs if run["method"] == "bm25")
    shown = call("show", one[:6], "-o", played[0], "-L", 1)
    assert shown.exit_code == 0, shown.stderr
    assert "Who built the harbour of Vellmar?" in shown.stdout
    assert "more answers" in shown.stdout
    assert "| a question read | reader |" in shown.stdout
    assert re.search(r"\| state_bytes \| [\d.]+ k?B \|", shown.stdout)
    assert "not default" not in shown.stdout
    whole = json.loads(call("show", one, "-o", played[0], "--json").stdout)
    assert whole["recipe"]["method"] == "bm25"
    assert call("show", played[0] / whole["folder"], "-L", 1).stdout == shown.stdout, "the path that a shell completes"


def test_show_has_no_more_target_sentences_than_answers_unless_all_are_wanted(tmp_path: Path) -> None:
    one = put_cell(tmp_path, recipe("single", "ft-s"), 2)
    (folder,) = tmp_path.glob("single--ft-s*")
    write_targets(folder, {"text": [Pair(f"Who is {k}?", "Ines") for k in range(9)]})
    few, whole = (call("show", one["id"], tmp_path, "-L", limit).stdout for limit in (4, 0))
    assert (few.count("| Who is "), whole.count("| Who is ")) == (4, 9)
    assert "5 more target sentences: -L 0 shows all" in few
    assert "more target" not in whole


def test_verify_passes_and_finds_a_changed_number(played: tuple[Path, Result], tmp_path: Path) -> None:
    assert call("verify", played[0]).exit_code == 0
    cell = next(played[0].glob("single--bm25*/result.json"))
    copy = tmp_path / "results" / cell.parent.name
    copy.mkdir(parents=True)
    for file in cell.parent.iterdir():
        if file.is_file():
            (copy / file.name).write_bytes(file.read_bytes())
    result = json.loads(cell.read_text())
    result["summary"]["contains/all"]["value"] += 0.5
    (copy / "result.json").write_text(json.dumps(result))
    found = call("verify", tmp_path / "results")
    assert found.exit_code == 1
    assert "contains/all" in found.stdout


def test_a_failed_cell_is_kept_and_exits_1(
    tiny: Path, data_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The method fails, the yardsticks stand."""

    def write(*_: object) -> None:
        raise MembenchError("no room is left")

    monkeypatch.setattr(registry.load("methods", "bm25"), "write", write)
    result = call(*run_arguments(tiny, data_file, tmp_path))
    assert result.exit_code == 1, result.stderr
    (kept,) = tmp_path.glob("single--bm25*/result.json")
    stored = json.loads(kept.read_text())
    assert (stored["status"], stored["reason"]) == ("failed", "no room is left")
    assert len(list(tmp_path.glob("gold--*/result.json"))) == 2


def test_target_sentences_about_another_passage_are_refused(tiny: Path, data_file: Path, tmp_path: Path) -> None:
    recorded = tmp_path / "recorded.jsonl"
    recorded.write_text('{"context": "Elsewhere.", "pairs": [{"question": "Where?", "answer": "Elsewhere"}]}\n')
    given = [
        "run",
        "-m",
        "ft-s",
        "-t",
        "single",
        "--data",
        f"jsonl:{data_file}",
        "--model",
        tiny,
        "-L",
        2,
        "-o",
        tmp_path,
    ]
    result = call(*given, "-M", f"targets=recorded:{recorded}")
    assert result.exit_code == 2, result.stderr
    assert "has no pairs about the passage" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-m", "selfparm", "-t", "single"], "unknown method 'selfparm': did you mean 'selfparam'?"),
        (["-m", "bm25", "-t", "singel"], "unknown task 'singel': did you mean 'single'?"),
        (["-m", "bm25", "-t", "single", "--data", "world"], "unknown data source 'world': did you mean 'worlds'?"),
        (["-m", "bm25", "-t", "single", "--model", "smollm"], "unknown model 'smollm': did you mean 'smollm2-135m'?"),
        (["-m", "bm25", "-t", "single", "-M", "kk=1"], "unknown setting 'kk' of method bm25: did you mean 'k'?"),
        (["-m", "bm25", "-t", "single", "-M", "k=x"], "setting k of bm25 wants an int, got 'x'"),
        (["-m", "bm25", "-t", "single", "-M", "k=0"], "setting k of bm25 wants 1 or more, got '0'"),
        (
            ["-m", "bm25", "-t", "single", "--seeds", "a"],
            "--seeds wants whole numbers with commas between them, got 'a'",
        ),
        (["-m", "bm25", "-t", "single", "--data", "jsonl:none.jsonl"], "none.jsonl"),
        (["-m", "bm25", "-t", "single", "--stile", "chat"], "No such option '--stile'"),
        (["-m", "bm25", "-t", "single", "--style", "fancy"], "'fancy' is not one of 'plain', 'twice', 'chat'"),
        (
            ["-m", "bm25", "-t", "single", "--model", "smollm2-135m", "--offline"],
            "membench doctor --fetch smollm2-135m",
        ),
        (["-m", "bm25"], "Missing option '-t'"),
    ],
)
def test_wrong_input_is_one_line_and_status_2(
    tiny: Path, data_file: Path, tmp_path: Path, arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEMBENCH_OUTPUT_DIR", str(tmp_path / "results"))
    model = [] if "--model" in arguments else ["--model", str(tiny)]
    data = [] if "--data" in arguments else ["--data", f"jsonl:{data_file}"]
    result = call("run", *arguments, *model, *data)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.startswith("membench: ")
    assert result.stderr.count("\n") == 1
    assert not result.stdout
    assert not (tmp_path / "results").exists()


def test_a_context_that_is_too_long_is_said_in_one_line_and_no_summary(tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_text(json.dumps({"context": "ship " * 2000, "questions": [{"question": "What?", "answer": "ship"}]}))
    result = call(
        "run", "-m", "bm25", "-t", "single", "--data", f"jsonl:{path}", "--model", tiny, "--style", "twice", "-o",
        tmp_path / "results",
    )  # fmt: skip
    assert result.exit_code == 2
    (said,) = [line for line in result.stderr.splitlines() if line.startswith("membench: ")]
    assert "where it stands twice (--style plain has it once), and the window of tiny" in said
    assert result.stderr.endswith(f"{said}\n")
    assert "not played yet" not in result.stderr


def test_debug_keeps_the_traceback() -> None:
    assert isinstance(call("check", "nix", "--debug").exception, MembenchError)
    assert isinstance(call("--debug", "check", "nix").exception, MembenchError)


def test_stopping_says_how_to_go_on(
    tiny: Path, data_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Session, "run", interrupted)
    result = call(*run_arguments(tiny, data_file, tmp_path))
    assert result.exit_code == 130
    assert "3 cells: 0 played, 0 failed, 0 done already and skipped, 3 not played yet" in result.stderr
    assert "plays what is missing" in result.stderr
    assert "membench leaderboard" not in result.stderr
    assert result.stderr.endswith("\nstopped; the same command goes on from here\n")


def test_names_may_be_repeated_or_listed_and_flags_take_underscores(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Request] = []

    def remember(_: Session, request: Request, *__: object) -> None:
        seen.append(request)
        raise MembenchError("enough")

    monkeypatch.setattr(Session, "__init__", remember)
    call("run", "--method", "base,bm25", "-m", "ft-c", "-t", "single", "--seeds", "2,0", "--trust_remote_code")
    assert seen[0].methods == ("base", "bm25", "ft-c")
    assert seen[0].seeds == (2, 0)
    assert seen[0].trust_remote_code
    assert seen[0] == Request(("base", "bm25", "ft-c"), ("single",), seeds=(2, 0), trust_remote_code=True)


def test_doctor_tells_versions_and_what_is_missing() -> None:
    found = json.loads(call("doctor", "--json").stdout)
    assert found["versions"]["membench"] == membench.__version__
    assert found["devices"][0]["device"] == "cpu"
    assert "model smollm2-135m is not in the cache: run `membench doctor --fetch smollm2-135m`" in found["missing"]


def test_from_python(played: tuple[Path, Result], tiny: Path, data_file: Path) -> None:
    given = {"data": f"jsonl:{data_file}", "model": str(tiny), "limit": 2, "output": played[0]}
    results = membench.run("bm25", "single", **given)
    assert [result["recipe"]["method"] for result in results] == ["in-context", "base", "bm25"]
    rows = membench.leaderboard(played[0], task="single")
    assert {row["method"] for row in rows} == {"base", "in-context", "bm25"}


def test_quiet_says_nothing_on_the_way_and_verbose_each_step(tiny: Path, data_file: Path, tmp_path: Path) -> None:
    quiet = call("-q", *run_arguments(tiny, data_file, tmp_path, "--no-yardsticks"))
    assert (quiet.exit_code, quiet.stderr) == (0, "")
    assert "bm25" in quiet.stdout
    told = call(*run_arguments(tiny, data_file, tmp_path, "--no-yardsticks", "--overwrite", "-v"))
    steps = [line for line in told.stderr.splitlines() if ": step " in line]
    assert [line.partition(": step ")[2].partition(",")[0] for line in steps] == [f"{k} of 4" for k in range(1, 5)]
