"""`membench questions` on the tiny model, and on the real one."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

import membench.documents
from membench.cli.app import main
from membench.documents.looking_over import KNOWN, LOST

DEMO = Path(membench.documents.__file__).with_name("demo")


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_a_model_that_answers_nothing_leaves_no_question(tiny: Path, tmp_path: Path) -> None:
    file = tmp_path / "my.jsonl"
    done = call("questions", DEMO, "-o", file, "--model", tiny, "-L", 2, "--json")
    assert done.exit_code == 2
    assert done.stderr.splitlines()[0] == f"2 passages; {tiny} reads each question twice, with its passage and without"
    assert done.stderr.splitlines()[1] == "ferry.md#1: 0 of 4 kept"
    assert "take another --writer or --model" in done.stderr.splitlines()[-1]
    assert {row["left out"] for row in json.loads(done.stdout)} <= {LOST, KNOWN}
    assert not file.exists()


def test_on_a_terminal_questions_stand_below_their_passage(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    done = call("questions", DEMO, "-o", tmp_path / "my.jsonl", "--model", tiny, "-L", 1, "--color", "always")
    lines = click.unstyle(done.stdout).splitlines()
    assert max(map(len, lines)) <= 60
    assert sum(line.startswith("  - Fill the gap (") for line in lines) == 4, "a line or more each, and no grid"
    assert all(line.startswith("    ") for line in lines if not line.startswith("  - "))
    said = done.stdout.replace("\n    ", " ")
    assert said.count(f"[{LOST}: ") == said.count(" → ") == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere", "-o", "my.jsonl"], "nowhere: no such folder"),
        ([str(DEMO), "-o", "my.txt"], "my.txt: give the file a name that ends in .jsonl"),
        ([str(DEMO), "-o", "my.jsonl", "--writer", "selv"], "selv"),
    ],
)
def test_bad_input_is_one_line_before_a_model_is_loaded(arguments: list[str], message: str) -> None:
    done = call("questions", *arguments, "--model", "nobody/nothing", "--offline")
    assert done.exit_code == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.e2e
def test_questions_of_the_default_model_can_be_played(tmp_path: Path) -> None:
    file = tmp_path / "my.jsonl"
    done = call("questions", DEMO, "-o", file)
    assert done.exit_code == 0, done.stderr
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    asked = [question for line in lines for question in line["questions"]]
    assert len(lines) >= 4
    assert len(asked) >= 8
    assert "membench run -m bm25,full-context -t batch --data jsonl:" in done.stderr
    dry = call("run", "-m", "bm25", "-t", "single", "--data", f"jsonl:{file}", "-o", tmp_path / "r", "--dry-run")
    assert dry.exit_code == 0, dry.stderr
