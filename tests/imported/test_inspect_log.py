"""Logs that inspect 0.3.285 wrote of its own mock model: six questions on three texts, two epochs."""

from __future__ import annotations

import gzip
import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from membench.errors import MembenchError
from membench.imported.inspect_log import read_log
from membench.imported.results import matched

LOGS = Path(__file__).parent.parent / "data" / "inspect"


@pytest.fixture(scope="module")
def poor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("inspect") / "poor.json"
    path.write_bytes(gzip.decompress((LOGS / "poor.json.gz").read_bytes()))
    return path


def test_epochs_are_seeds_and_texts_group_items(poor: Path) -> None:
    log = json.loads(poor.read_text())
    found = read_log(str(poor))
    assert [(r.method, r.seed, len(r.items), r.version) for r in found] == [
        ("squad6@poor", 0, 6, "0.3.285"), ("squad6@poor", 1, 6, "0.3.285"),
    ]  # fmt: skip
    assert len({item.context for item in found[0].items}) == 3
    for k, result in enumerate(found, 1):
        samples = [s for s in log["samples"] if s["epoch"] == k]
        letters = [{"C": 1.0, "I": 0.0}[s["scores"]["includes"]["value"]] for s in samples]
        assert [item.scores["includes"] for item in result.items] == letters
        assert [item.scores["f1"] for item in result.items] == [s["scores"]["f1"]["value"] for s in samples]
        assert [item.answer for item in result.items] == [s["output"]["completion"] for s in samples]


def test_a_packed_log_needs_the_reader_of_inspect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = tmp_path / "good.eval"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("header.json", "{}")
    monkeypatch.setitem(sys.modules, "inspect_ai.log", None)
    with pytest.raises(MembenchError, match=r"inspect log convert good\.eval --to json"):
        read_log(str(packed))
    log = SimpleNamespace(model_dump_json=lambda: gzip.decompress((LOGS / "good.json.gz").read_bytes()).decode())
    monkeypatch.setitem(sys.modules, "inspect_ai.log", SimpleNamespace(read_eval_log=lambda path: log))
    assert [r.method for r in read_log(str(packed))] == ["squad6@good", "squad6@good"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda log: log.update(status="error"), "its run ended with status 'error'"),
        (lambda log: log.pop("samples"), "'samples' is missing"),
        (lambda log: log["eval"].pop("model"), "eval: 'model' is missing"),
        (lambda log: log["samples"][2].pop("scores"), r"samples\[2\]: 'scores' is missing"),
        (lambda log: log["samples"][1]["scores"]["f1"].update(value=1e99), r"samples\[1\]: f1: score 1e\+99 is beyond"),
        (lambda log: log["samples"][1].update(epoch=0), r"samples\[1\]: 'epoch' must be"),
        (lambda log: log["samples"].insert(1, [3]), r"samples\[1\]: a sample must be an object, got list"),
        (lambda log: log["samples"][1].update(id=None), r"samples\[1\]: 'id' must be"),
        (lambda log: log["samples"].append(log["samples"][0]), r"samples\[12\]: item '.*' stands at .*samples\[0\]"),
    ],
)
def test_what_is_no_whole_log_is_refused(
    poor: Path, tmp_path: Path, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    log = json.loads(poor.read_text())
    change(log)
    path = tmp_path / "log.json"
    path.write_text(json.dumps(log))
    with pytest.raises(MembenchError, match=said):
        read_log(str(path))


def test_a_folder_is_no_log(tmp_path: Path) -> None:
    with pytest.raises(MembenchError, match=r"is a folder: name the logs in it$"):
        read_log(str(tmp_path))


@pytest.mark.parametrize(
    ("change", "settings", "shown"),
    [
        ({}, {}, set()),
        (
            {"task_args": {"prompt": "cot", "k": 3}, "task_args_passed": {"prompt": "cot"}},
            {"prompt": "cot", "k": "3"}, {"prompt"},
        ),
        (
            {
                "model_args": {"peft": "x", "api_key": "y", "headers": {"Authorization": "z", "v": 1}},
                "model_generate_config": {"temperature": 0.5, "seed": None},
            },
            {"model.peft": "x", "model.headers": '{"v": 1}', "model.temperature": "0.5"}, set(),
        ),
        (
            {"solver": "agent", "solver_args": {"turns": 2}},
            {"solver": "agent", "solver.turns": "2"}, {"solver"},
        ),
    ],
)  # fmt: skip
def test_what_a_run_was_told_are_settings(
    poor: Path, tmp_path: Path, change: dict[str, Any], settings: dict[str, str], shown: set[str]
) -> None:
    log = json.loads(poor.read_text())
    log["eval"].update(change)
    path = tmp_path / "log.json"
    path.write_text(json.dumps(log))
    found = read_log(str(path))[0]
    assert found.settings == settings
    assert {name for name in settings if name not in found.defaults} == shown
    assert found.sources == {"model": "mockllm/poor", "task": "squad6"}


def test_what_is_no_number_is_named(poor: Path, tmp_path: Path) -> None:
    log = json.loads(poor.read_text())
    for sample in log["samples"]:
        given = {"mine/f1": 0.5, "word": "good", "none": float("nan"), "judge": {"why": "because", "a:b": "C"}}
        sample["scores"] = {name: {"value": value} for name, value in given.items()}
    path = tmp_path / "log.json"
    path.write_text(json.dumps(log))
    found = matched(read_log(str(path)))
    assert found.task.scores == ("mine.f1", "judge.a.b")
    assert found.left_out == tuple(
        f"{name} is left out: its values are no numbers" for name in ("judge.why", "none", "word")
    )


def test_parts_of_a_score_are_scores(poor: Path, tmp_path: Path) -> None:
    log = json.loads(poor.read_text())
    for sample in log["samples"]:
        sample["scores"] = {"judge": {"value": {"fluent": "C", "true": 0.25, "why": "because"}}, "pair": {"value": [1]}}
        sample["input"] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Who?"}]
    path = tmp_path / "log.json"
    path.write_text(json.dumps(log))
    item = read_log(str(path))[0].items[0]
    assert item.scores == {"judge.fluent": 1.0, "judge.true": 0.25}
    assert item.question == "Be brief.\nWho?"
