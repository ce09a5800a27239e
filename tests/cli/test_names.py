"""A name that nothing has is refused, with the nearest one, before anything heavy is imported: in every command."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from membench.cli.app import main
from tests.support.stored_cells import put_cell, recipe

PLAY = """
import json, sys
from click.testing import CliRunner
from membench.cli.app import main
found = [CliRunner().invoke(main, line) for line in json.load(sys.stdin)]
heavy = sorted({"torch", "transformers", "scipy", "sklearn", "datasets"} & set(sys.modules))
print(json.dumps([[[r.exit_code, r.stderr] for r in found], heavy]))
"""
WRONG = {  # what is typed, and what is said of it
    "run -m bm26 -t single": "unknown method 'bm26': did you mean 'bm25'?",
    "run -m bm25,selfpram -t single": "unknown method 'selfpram': did you mean 'selfparam'?",
    "run -m selfparam -t singel": "unknown task 'singel': did you mean 'single'?",
    "run -m selfparam -t single --data wrolds:3": "unknown data source 'wrolds': did you mean 'worlds'?",
    "run -m selfparam -t single --model smollm": "unknown model 'smollm': did you mean 'smollm2-135m'?",
    "run -m bm25 -t single --model ''": "unknown model ''",
    "run -m bm25 -t single -M bm25.k9=3": "unknown setting 'k9' of method bm25: did you mean 'k'?",
    "run -m bm26 -t single --dry-run": "unknown method 'bm26': did you mean 'bm25'?",
    "run -m bm25+selfpram -t single": "unknown method 'selfpram': did you mean 'selfparam'?",
    "run -m bm25+ -t single": "method 'bm25+' lacks a part: write METHOD+METHOD",
    "check +bm25": "method '+bm25' lacks a part: write METHOD+METHOD",
    "leaderboard CELLS -m bm25+": "unknown method 'bm25+': did you mean 'bm25'?",
    "leaderboard CELLS -m bm25+bm26": "unknown method 'bm25+bm26': did you mean 'bm25'?",
    "leaderboard CELLS -m bm26": "unknown method 'bm26': did you mean 'bm25'?",
    "leaderboard CELLS -t singel": "unknown task 'singel': did you mean 'single'?",
    "leaderboard CELLS --model some-mdel": "unknown model 'some-mdel': did you mean 'some-model'?",
    "leaderboard CELLS --data wrolds": "unknown data source 'wrolds': did you mean 'worlds'?",
    "leaderboard CELLS --against bm26": "unknown method 'bm26': did you mean 'bm25'?",
    "report CELLS -m bm26 -o OUT": "unknown method 'bm26': did you mean 'bm25'?",
    "leaderboard CELLS --against bm25+selfpram": "unknown method 'bm25+selfpram': did you mean 'bm25+selfparam'?",
    "compare bm26 bm25 -o CELLS": "unknown method 'bm26': did you mean 'bm25'?",
    "compare bm25 bm25 -t singel -o CELLS": "unknown task 'singel': did you mean 'single'?",
    "advise CELLS --contexts 3 --questions 3 -t singel": "unknown task 'singel': did you mean 'single'?",
    "show nothing -o CELLS": "no cell 'nothing'",
    "check bm26": "unknown method 'bm26': did you mean 'bm25'?",
    "train-memory --model smollm --text builtin -o OUT": "unknown model 'smollm': did you mean 'smollm2-135m'?",
    "doctor --fetch smollm": "unknown model 'smollm': did you mean 'smollm2-135m'?",
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], list[str]]:
    """What all of them came to in one fresh process, by what was typed; and the heavy packages imported there."""
    folder = tmp_path_factory.mktemp("names")
    put_cell(folder / "cells", recipe("single", "bm25"))
    put_cell(folder / "cells", recipe("single", "of-a-package-that-is-gone"))
    put_cell(folder / "cells", recipe("single", "bm25+selfparam"))
    places = {"CELLS": str(folder / "cells"), "OUT": str(folder / "out"), "''": ""}
    lines = [[places.get(word, word) for word in line.split()] for line in WRONG]
    done = subprocess.run(
        [sys.executable, "-c", PLAY], input=json.dumps(lines), capture_output=True, text=True, check=True
    )
    found, heavy = json.loads(done.stdout)
    assert not (folder / "out").exists()
    return dict(zip(WRONG, found, strict=True)), heavy


@pytest.mark.parametrize("line", WRONG)
def test_it_is_named_with_the_nearest_one(answers: tuple[dict[str, Any], list[str]], line: str) -> None:
    status, said = answers[0][line]
    assert status == 2
    assert WRONG[line] in said
    assert said.count("\n") == 1


def test_nothing_heavy_is_imported_for_it(answers: tuple[dict[str, Any], list[str]]) -> None:
    assert answers[1] == []


def test_what_is_stored_is_known_though_its_plug_in_is_gone(tmp_path: Path) -> None:
    put_cell(tmp_path, recipe("single", "of-a-package-that-is-gone", data="a-source-that-is-gone:3"))
    command = [sys.executable, "-m", "membench", "leaderboard", str(tmp_path)]
    filters = ["-m", "of-a-package-that-is-gone", "--data", "a-source-that-is-gone", "--model", "some-model"]
    done = subprocess.run([*command, *filters], capture_output=True, text=True, check=True)
    assert "of-a-package-that-is-gone" in done.stdout


@pytest.mark.parametrize("words", [["--help"], ["run", "-m", "bm26", "-t", "single"]])
def test_help_and_a_wrong_name_take_no_time(words: list[str]) -> None:
    """0.4 s is promised on a quiet machine; the processor's seconds count here, as other processes may be busy."""
    times = []
    for _ in range(3):
        before = _spent()
        subprocess.run([sys.executable, "-m", "membench", *words], check=False, capture_output=True)
        times.append(_spent() - before)
    assert min(times) < 0.6


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_a_row_goes_by_each_of_its_printed_names(tmp_path: Path) -> None:
    for method, seeds in (("bm25", 1), ("bm25+selfparam", 1), ("ft-s", 3)):
        for seed in range(seeds):
            settings = {} if method == "bm25" else {"lr": 0.002}
            put_cell(tmp_path, recipe("single", method, seed, settings=settings))
    for name in ("bm25+selfparam", "bm25+selfparam lr=0.002", "ft-s", "ft-s lr=0.002", "ft-s lr=0.002 (3 seeds)"):
        for line in (["compare", name, "bm25", "-o", tmp_path], ["leaderboard", tmp_path, "--against", name]):
            done = CliRunner().invoke(main, [str(word) for word in line])
            assert done.exit_code == 0, done.stderr
            assert name in done.stdout
    wrong = CliRunner().invoke(main, ["compare", "ft-s lr=0.02", "bm25", "-o", str(tmp_path)])
    assert wrong.stderr == "membench: unknown method 'ft-s lr=0.02': did you mean 'ft-s lr=0.002 (3 seeds)'?\n"
