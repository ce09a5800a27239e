"""Which imported results are seeds of one row, and what the rows are called."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from membench.cli.app import main

LOGS = Path(__file__).parent.parent / "data" / "inspect"
LM_EVAL = LOGS.parent / "lm_eval"


def called(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def lm_eval(home: Path, model: str, seed: int = 0, **arguments: str) -> Path:
    """Samples of a model, and what lm-eval tells of it, in a folder of its own."""
    home.mkdir()
    date = "2026-11-28T14-08-38.575455"
    about = json.loads(gzip.decompress((LM_EVAL / "choice_results.json.gz").read_bytes()))
    about["model_name"] = about["config"]["model_args"]["pretrained"] = model
    about["config"]["model_args"] |= arguments
    about["model_name"] = arguments.get("peft", model)  # as lm-eval does
    about["config"]["random_seed"] = seed
    (home / f"results_{date}.json").write_text(json.dumps(about))
    path = home / f"samples_t_{date}.jsonl"
    samples = gzip.decompress((LM_EVAL / "choice.jsonl.gz").read_bytes()).decode()
    path.write_text("".join(json.dumps(json.loads(line) | {"run": home.name}) + "\n" for line in samples.splitlines()))
    return path


def inspected(path: Path, **about: object) -> Path:
    log = json.loads(gzip.decompress((LOGS / "good.json.gz").read_bytes()))
    log["eval"] |= about
    path.write_text(json.dumps(log))
    return path


PAIRS = [
    (
        "lm-eval", lambda f: [lm_eval(f / "a", "/a/run1/final"), lm_eval(f / "b", "/a/run2/final")],
        ["t@final model=/a/run1/final", "t@final model=/a/run2/final"],
    ),
    (
        "lm-eval", lambda f: [lm_eval(f / "a", "o/base"), lm_eval(f / "b", "o/base", peft="x")],
        ["t@base", "t@base peft=x"],
    ),
    (
        "lm-eval", lambda f: [lm_eval(f / "a", "o/base"), lm_eval(f / "b", "o/base", dtype="float16")],
        ["t@base dtype=float16", "t@base dtype=float32"],
    ),
    (
        "inspect", lambda f: [inspected(f / "a", task_args={"p": "cot"}), inspected(f / "b", task_args={"p": "plain"})],
        ["squad6@good p=cot", "squad6@good p=plain"],
    ),
    (
        "inspect", lambda f: [inspected(f / "a", model="one/m"), inspected(f / "b", model="two/m")],
        ["squad6@m model=one/m", "squad6@m model=two/m"],
    ),
    (
        "inspect",
        lambda f: [
            inspected(f / n, model=f"{n}/m", task_args={"model": "judge"}, task_args_passed={"model": "judge"})
            for n in ("one", "two")
        ],
        ["squad6@m model=one/m arg.model=judge", "squad6@m model=two/m arg.model=judge"],
    ),
    (
        "lm-eval", lambda f: [lm_eval(f / "a", "o/base", add_bos_token="1"), lm_eval(f / "b", "o/base")],
        ["t@base", "t@base add_bos_token=1"],
    ),
]  # fmt: skip


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize(("harness", "made", "names"), PAIRS)
def test_two_models_or_settings_are_two_methods(
    tmp_path: Path, harness: str, made: Callable[[Path], list[Path]], names: list[str], apart: bool
) -> None:
    paths = made(tmp_path)
    into = [tmp_path / f"cells{k * apart}" for k in range(2)]
    for k, path in enumerate(paths):
        assert called("import", harness, path, "-o", into[k]).exit_code == 0
    rows = json.loads(called("leaderboard", *into, "--format", "json").stdout)
    assert sorted({row["method"] for row in rows}) == names
    text = called("leaderboard", *into).stdout.replace("\\", "")
    assert [name for name in names if f"| {name}" not in text] == []
    labels = list({row["label"] for row in rows})
    assert "verdict | not resolved" in called("compare", *labels, *into).stdout


def test_what_tells_nothing_apart_is_in_no_name_and_seeds_of_one_model_are_one_row(tmp_path: Path) -> None:
    paths = [lm_eval(tmp_path / str(seed), "/a/run1/final", seed) for seed in (0, 1)]
    assert called("import", "lm-eval", *paths, "-o", tmp_path / "cells").exit_code == 0
    assert "| t@final (2 seeds) |" in called("leaderboard", tmp_path / "cells").stdout.replace("\\", "")
