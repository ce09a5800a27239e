"""How commands behave towards who types them: help, colours, folders, completion, what to type instead."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result

from membench.cli.app import main
from tests.support.stored_cells import put_cell, recipe

STYLE, RULE = "\x1b[1m", "────"

COMMANDS = {shelved.name: shelved.load() for commands in main.shelves.values() for shelved in commands}


def call(*words: object, **environment: str | None) -> Result:
    plain = {"NO_COLOR": None, "FORCE_COLOR": None, "COLUMNS": "80"}
    return CliRunner().invoke(main, [str(word) for word in words], env={**plain, **environment}, prog_name="membench")


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two methods' cells."""
    folder = tmp_path_factory.mktemp("manners") / "cells"
    for method in ("bm25", "dpr"):
        put_cell(folder, recipe("single", method))
    return folder


def test_alone_it_says_how_to_start() -> None:
    alone = call()
    assert alone.exit_code == 0
    lines = alone.stdout.splitlines()
    assert sum(line.startswith("  membench ") for line in lines) == 3
    assert [line.split()[0] for line in lines if " · " in line] == ["Start", "Play", "Look", "Decide", "Keep"]
    named = {name for line in lines if " · " in line for name in line.replace("·", " ").split()[1:]}
    assert named == set(COMMANDS)
    assert max(map(len, lines)) <= 80


def test_help_has_a_whole_line_for_each_command() -> None:
    lines = call("--help").stdout.splitlines()
    for name in COMMANDS:
        (line,) = [line for line in lines if line.split()[:1] == [name]]
        assert line.endswith("."), line
        assert not line.endswith("..."), line


def test_the_line_on_a_command_is_the_first_of_its_own_help() -> None:
    for commands in main.shelves.values():
        for shelved in commands:
            assert shelved.load().get_short_help_str(200) == shelved.help


def test_the_help_of_run_stands_in_panels() -> None:
    lines = call("run", "--help").stdout.splitlines()
    heads = [line[:-1] for line in lines if line.endswith(":") and not line.startswith(" ")]
    assert heads == ["What", "Model", "Settings", "Where", "How", "Everywhere"]
    named = {flag for line in lines for flag in line.split() if flag.startswith("--")}
    assert {name for option in COMMANDS["run"].params for name in option.opts if name[:2] == "--"} <= named


@pytest.mark.parametrize(
    ("words", "environment", "as_on_a_terminal", "styles"),
    [
        ([], {}, False, False),
        (["--color", "always"], {}, True, True),
        (["--color", "always"], {"NO_COLOR": "1"}, True, True),
        ([], {"FORCE_COLOR": "1"}, True, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False, False),
    ],
)
@pytest.mark.parametrize("what", ["ls tasks", "leaderboard CELLS", "show bm25 CELLS"])
def test_colours(
    cells: Path, what: str, words: list[str], environment: dict[str, str], as_on_a_terminal: bool, styles: bool
) -> None:
    cell = next(path.name for path in cells.iterdir() if "bm25" in path.name)
    line = [{"CELLS": str(cells), "bm25": cell}.get(word, word) for word in what.split()]
    after, before = call(*line, *words, **environment), call(*words, *line, **environment)
    assert after.stdout == before.stdout
    assert (after.exit_code, RULE in after.stdout, STYLE in after.stdout) == (0, as_on_a_terminal, styles)


def test_colours_that_are_never_wanted_on_a_terminal(cells: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("membench.cli.shared.manners.like_terminal", lambda: True)
    monkeypatch.setattr("membench.cli.shared.printing.like_terminal", lambda: True)
    shown = CliRunner().invoke(main, ["ls", "tasks"], color=True, env={"NO_COLOR": "1", "FORCE_COLOR": None}).stdout
    assert RULE in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize("line", ["ls runs", "show CELL", "compare bm25 dpr", "export FILE"])
def test_folders_come_last(cells: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    monkeypatch.chdir(tmp_path)
    names = {"CELL": next(cells.iterdir()).name, "FILE": "all.csv"}
    words = [names.get(word, word) for word in line.split()]
    last, earlier, usual = (
        call(*words, cells),
        call(*words, "-o", cells),
        call(*words, MEMBENCH_OUTPUT_DIR=str(cells)),
    )
    assert (last.exit_code, last.output) == (earlier.exit_code, earlier.output) == (usual.exit_code, usual.output)
    nothing = call(*words, tmp_path / "none")
    assert nothing.exit_code == 2
    assert f"no folder {tmp_path / 'none'}" in nothing.stderr
    twice = call(*words, cells, cells)  # several are read as one
    assert twice.output == last.output


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("leaderbord", "No such command 'leaderbord'. Did you mean 'leaderboard'?"),
        ("run --methd x", "No such option '--methd'. (Did you mean one of: '--method', '--method-setting'?)\n"),
        ("run --zzz x", "No such option '--zzz': membench run --help lists what there is"),
        ("show", "Missing argument 'CELL': membench show --help lists what there is"),
        ("-q run -v -m bm25 -t single", "-q and -v: say one of the two"),
        ("run --color blue", "'blue' is not one of 'auto', 'always', 'never'"),
    ],
)
def test_what_is_typed_wrongly_is_told_what_to_type(line: str, said: str) -> None:
    wrong = call(*line.split())
    assert (wrong.exit_code, wrong.stderr.count("\n")) == (2, 1)
    assert said in wrong.stderr


def completed(*words: str) -> list[str]:
    *args, typed = words
    shell = ShellComplete(main, {}, "membench", "_MEMBENCH_COMPLETE")
    return [item.value for item in shell.get_completions(args, typed)]


def test_names_are_completed(cells: Path) -> None:
    assert completed("run", "-m", "bm25,self") == ["bm25,selfparam"]
    assert "bm25,bm25" not in completed("run", "-m", "bm25,")
    assert completed("run", "-t", "seq") == ["sequential"]
    assert completed("leaderboard", "--data", "worl") == ["worlds"]
    assert completed("run", "--model", "smol") == ["smollm2-135m"]
    assert completed("compare", "bm25", "dp") == ["dpr"]
    assert completed("train") == ["train-memory"]
    names = sorted(path.name for path in cells.iterdir())
    assert completed("show", "-o", str(cells), "") == names
    assert completed("show", "-o", str(cells), names[0][-12:-4]) == [names[0][-12:]]
    assert completed("show", "-o", str(cells / "none"), "s") == []


def test_bash_completes_by_the_printed_lines_and_imports_nothing_heavy(tmp_path: Path) -> None:
    program = tmp_path / "membench"
    heavy = "{'torch', 'transformers', 'rich', 'numpy', 'scipy'} & set(sys.modules)"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nfrom membench.cli import main\n"
        f"try:\n    main()\nfinally:\n    assert not {heavy}, {heavy}\n"
    )
    program.chmod(0o755)
    typed = "COMP_WORDS=(membench run -m sel); COMP_CWORD=3; _membench_completion membench"
    line = f'eval "$(membench completion bash)"; {typed}'
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", f'{line}; echo "${{COMPREPLY[@]}}"'], capture_output=True, text=True, env=environment, check=True
    )
    assert (done.stdout, done.stderr) == ("selfparam\n", "")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells(shell: str) -> None:
    assert "_MEMBENCH_COMPLETE" in call("completion", shell).stdout


def test_every_command_has_what_all_share() -> None:
    shared = {"--quiet", "--verbose", "--color", "--debug"}
    for name, command in COMMANDS.items():
        assert shared <= {flag for option in command.params for flag in option.opts}, name
        assert isinstance(command, click.Command)


def test_what_is_the_same_in_all_rows_is_said_once(cells: Path, tmp_path: Path) -> None:
    for seed in range(3):
        put_cell(tmp_path, recipe("single", "bm25", seed=seed))
    lines = call("ls", "runs", tmp_path, "--color", "always", COLUMNS="120").stdout.splitlines()
    assert lines[-1].startswith("the same in all: task: single · method: bm25 · data: ")
    assert len(lines) == 2 + 3 + 1
    assert "| single | bm25 |" in call("ls", "runs", tmp_path).stdout


def test_what_few_rows_have_is_said_below_on_a_terminal() -> None:
    lines = call("ls", "methods", "--color", "always", COLUMNS="120").stdout.splitlines()
    assert "licence" not in lines[0]
    assert lines[-1].startswith("licence of dpr, hybrid, ")
    assert "licence" in call("ls", "methods").stdout.splitlines()[0]


@pytest.mark.parametrize("columns", [60, 80, 140])
@pytest.mark.parametrize("what", ["ls methods", "run -m bm25 -t single,sequential --data worlds:3 --dry-run -o NONE"])
def test_lines_beside_a_table_are_folded_between_words_on_a_terminal_alone(
    what: str, columns: int, tmp_path: Path
) -> None:
    line = [str(tmp_path) if word == "NONE" else word for word in what.split()]
    folded, whole, piped = (
        call(*line, *colour, COLUMNS=str(width)).stdout
        for colour, width in ((("--color", "always"), columns), (("--color", "always"), 999), ((), columns))
    )
    said, unbroken = (text[text.index("the same in all: ") :] for text in (folded, whole))
    assert max(map(len, said.splitlines())) <= columns
    assert said.split() == unbroken.split()
    if "--dry-run" in what:
        assert piped.splitlines()[-1] == unbroken.splitlines()[-1]
        assert len(piped.splitlines()[-1]) > 80


def test_status_is_a_table(tmp_path: Path) -> None:
    put_cell(tmp_path, recipe("single", "bm25"))
    next(tmp_path.glob("*/result.json")).write_text("{")
    shown = call("status", tmp_path).stdout.splitlines()
    assert shown[0] == "1 cells: 0 done, 1 failed"
    assert shown[1] == "| failed | reason |"
    assert "result.json is damaged (no JSON): run the same command again" in shown[3]


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("leaderboard", 0), ("report", 0), ("verify", 0), ("ls runs", 0), ("compare bm25 dpr", 2),
        ("advise --texts 2 --questions-per-month 3", 2),
    ],
)  # fmt: skip
def test_a_folder_without_cells_is_told_how_they_come(cells: Path, tmp_path: Path, line: str, status: int) -> None:
    empty = call(*line.split(), tmp_path)
    assert (empty.exit_code, empty.stderr.count("\n")) == (status, 1)
    assert f"nothing stored in {tmp_path}: cells come by `membench run " in empty.stderr
    above = call(*line.split(), cells.parent)
    assert f"name a folder that holds some: {cells}" in above.stderr
