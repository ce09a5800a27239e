"""`membench run -C FILE`: the same as flags, blocks, what is refused and where; a saved file plays it again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from membench.cli.app import main
from membench.cli.play.run import run as run_command
from membench.errors import MembenchError
from membench.estimates.estimate import Estimate
from membench.planning.request import Request
from membench.plugins import registry


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """What `--dry-run` is asked to plan."""
    seen: list[Request] = []
    monkeypatch.setattr("membench.cli.play.dry_run.print_plan", lambda those, *_: seen.extend(those))
    monkeypatch.setattr("membench.planning.validation.validate", lambda _: None)  # the values here are any
    return seen


def options(tmp_path: Path, text: str, *flags: object) -> Result:
    path = tmp_path / "run.yaml"
    path.write_text(text, encoding="utf-8")
    return call("run", "-C", path, *flags)


# Who plays, the judge, and the options of an endpoint: their own tests have them.
OTHERS = {
    "address",
    "judge",
    "concurrency",
    "executor",
    "executor-setting",
    "max-tokens-total",
    "price-in",
    "price-out",
    "shard",
    "window",
    "workers",
}

EVERYTHING = """
method: [bm25, ft-s]
task: single, batch
data:
  - worlds
  - squad:dev.json
model: some/model
seeds: [0, 2]
limit: 7
method-setting: {ft-s.lr: 5e-4, epochs: 3, answers: null}
task_setting: [questions=2]
output: there
overwrite: yes
dry-run: true
offline: true
device: cuda:1
dtype: bfloat16
engine: vllm
style: chat
yardsticks: false
trust-remote-code: true
base-url: http://localhost:1/v1
json: false
"""


def test_every_option_of_run_may_stand_in_the_file(tmp_path: Path, requests: list[Request]) -> None:
    result = options(tmp_path, EVERYTHING)
    assert result.exit_code == 0, result.stderr
    assert requests == [
        Request(
            methods=("bm25", "ft-s"), tasks=("single", "batch"), data=("worlds", "squad:dev.json"), model="some/model",
            seeds=(0, 2), limit=7, method_settings=("ft-s.lr=5e-4", "epochs=3", "answers=none"),
            task_settings=("questions=2",), output=Path("there"), overwrite=True, offline=True, device="cuda:1",
            dtype="bfloat16", engine="vllm", style="chat", yardsticks=False, trust_remote_code=True,
            base_url="http://localhost:1/v1",
        )
    ]  # fmt: skip
    long = {name[2:] for p in run_command.params for name in p.opts if name.startswith("--")}
    assert (
        set(yaml.safe_load(EVERYTHING.replace("task_", "task-")))
        == long - {"config", "debug", "quiet", "verbose", "color"} - OTHERS
    )


def test_flags_win_over_the_file_and_the_file_over_the_environment(
    tmp_path: Path, requests: list[Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEMBENCH_OUTPUT_DIR", "elsewhere")
    text = "method: bm25\ntask: single\nlimit: 3\nseeds: 0,1\n"
    assert options(tmp_path, text, "--dry-run", "-L", 5, "-m", "dpr", "--seeds", 4).exit_code == 0
    assert options(tmp_path, text + "output: here\n", "--dry-run").exit_code == 0
    found = [(r.methods, r.limit, r.seeds, str(r.output)) for r in requests]
    assert found == [(("dpr",), 5, (4,), "elsewhere"), (("bm25",), 3, (0, 1), "here")]


def test_blocks_take_what_stands_above_them(tmp_path: Path, requests: list[Request]) -> None:
    text = "model: some/model\nlimit: 4\nruns:\n- {method: bm25, task: single}\n- {method: dpr, task: batch, limit: 9}"
    assert options(tmp_path, text, "--dry-run").exit_code == 0
    assert [(r.methods, r.tasks, r.limit, r.model) for r in requests] == [
        (("bm25",), ("single",), 4, "some/model"), (("dpr",), ("batch",), 9, "some/model"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("method: bm25\nmetod: x\n", "run.yaml:2: unknown option 'metod': did you mean 'method'?"),
        ("method: bm25\ntask: single\nlimit: few\n", "run.yaml:3: limit: 'few' is not a valid integer range."),
        ("method: bm25\ntask: single\nlimit: 2.5\n", "run.yaml:3: limit: '2.5' is not a valid integer range."),
        ("task: single\nseeds: [0, a]\n", "run.yaml:2: seeds: --seeds wants whole numbers"),
        ("method: bm25\nstyle: fancy\n", "run.yaml:2: style: 'fancy' is not one of 'plain', 'twice', 'chat'"),
        ("method: bm25\noffline: perhaps\n", "run.yaml:2: offline: 'perhaps' is not a valid boolean"),
        ("method: bm25\nmodel: [a, b]\n", "run.yaml:2: model wants one value, got a list"),
        ("method: {a: 1}\n", "run.yaml:1: method wants a value or a list, not a map"),
        ("method: [[a]]\n", "run.yaml:1: method wants a value, got sequence"),
        ("method: bm25\nlimit:\n", "run.yaml:2: limit wants a value, got nothing"),
        ("method: bm25\nmethod: dpr\n", "run.yaml:2: method stands twice"),
        ("method: [bm25\ntask: single\n", "run.yaml:2: no YAML: "),
        ("- bm25\n", "run.yaml:1: expected a map of options"),
        ("", "run.yaml is empty"),
        ("runs: {method: bm25}\n", "run.yaml:1: runs wants a list"),
        ("runs:\n- method: bm25\n  runs: []\n", "run.yaml:3: runs stands at the top of a file alone"),
        ("runs:\n- method: bm25\n- bm25\n", "run.yaml:3: expected a map of options"),
        ("method: bm25\n", "run.yaml:1: Missing option '-t' / '--task'"),
        ("method: bm25\nruns:\n- task: single\n- method:\n", "run.yaml:4: method wants a value, got nothing"),
        ("limit: 2\nruns:\n- {method: bm25, task: single}\n- task: single\n", "run.yaml:4: Missing option '-m'"),
        ("method-setting:\n  epochs: 1\n  epochs: 2\n", "run.yaml:3: method-setting: epochs stands twice"),
        ("method-setting: {chunk_tokens: 1, chunk-tokens: 2}\n", "run.yaml:1: method-setting: chunk-tokens stands"),
        ("task-setting:\n  [a, b]: 1\n", "run.yaml:2: task-setting wants a value, got sequence"),
        ("task-setting: {null: 1}\n", "run.yaml:1: task-setting wants a value, got nothing"),
        ("config: other.yaml\n", "run.yaml:1: unknown option 'config'"),
    ],
)
def test_what_is_wrong_in_a_file_is_one_line_with_its_place(
    tmp_path: Path, text: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.yaml").write_text(text, encoding="utf-8")
    result = call("run", "-C", "run.yaml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"membench: {message}"), result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "results").exists()


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    missing = call("run", "-C", tmp_path / "none.yaml")
    assert (missing.exit_code, missing.stderr.count("\n")) == (2, 1)
    assert "there is no file" in missing.stderr
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00method")
    assert "is no text in UTF-8" in call("run", "-C", tmp_path / "bytes.yaml").stderr


@pytest.fixture
def text(tiny: Path, data_file: Path, tmp_path: Path) -> str:
    """Two blocks on the tiny model."""
    return str(yaml.safe_dump(
        {
            "model": str(tiny), "data": f"jsonl:{data_file}", "output": str(tmp_path / "out"),
            "runs": [
                {"method": "bm25", "task": "single", "limit": 2},
                {"method": ["bm25", "ft-s"], "task": "batch", "limit": 3, "method-setting": {"epochs": 1}},
            ],
        }
    ))  # fmt: skip


def test_blocks_are_played_and_the_saved_file_plays_them_again(text: str, tmp_path: Path) -> None:
    result = options(tmp_path, text, "--json")
    assert result.exit_code == 0, result.stderr
    rows: list[dict[str, Any]] = json.loads(result.stdout)
    assert {(row["task"], row["method"]) for row in rows if not row["mark"]} == {
        ("single", "bm25"), ("batch", "bm25"), ("batch", "ft-s"),
    }  # fmt: skip
    assert result.stderr.count("loading") == 1  # one model, lent to both blocks
    cells = sorted(path.parent.name for path in (tmp_path / "out").glob("*/result.json"))
    (saved,) = (tmp_path / "out" / "runs").glob("*.yaml")
    assert f"membench run -C {saved}" in result.stderr
    again = call("run", "-C", saved, "--json")
    assert again.stdout == result.stdout
    assert "7 cells: 0 played, 0 failed, 7 done already and skipped" in again.stderr
    assert sorted(path.parent.name for path in (tmp_path / "out").glob("*/result.json")) == cells
    assert list((tmp_path / "out" / "runs").glob("*.yaml")) == [saved]
    anew = call("run", "-C", saved, "-o", tmp_path / "other", "--json")
    assert sorted(path.parent.name for path in (tmp_path / "other").glob("*/result.json")) == cells
    assert anew.exit_code == 0


@pytest.fixture
def shared(tiny: Path, data_file: Path, tmp_path: Path) -> str:
    """Two blocks that have the yardsticks in common: four cells, not six."""
    common = {"model": str(tiny), "data": f"jsonl:{data_file}", "output": str(tmp_path / "out"), "task": "single"}
    return str(yaml.safe_dump({**common, "limit": 2, "runs": [{"method": "bm25"}, {"method": "full-context"}]}))


METHODS = ["in-context", "base", "bm25", "full-context"]


def starts(result: Result) -> list[str]:
    """The number and method of each cell that was played, as the lines say that stand where it starts."""
    return [line.partition(" ·")[0] for line in result.stderr.splitlines() if line.startswith("[") and " steps" in line]


def test_a_cell_that_blocks_share_is_listed_played_and_counted_once(shared: str, tmp_path: Path) -> None:
    listed = json.loads(options(tmp_path, shared, "--dry-run", "--json").stdout)["cells"]
    assert [row["method"] for row in listed] == METHODS
    numbered = [f"[{k}/4] {name}" for k, name in enumerate(METHODS, 1)]  # of all blocks, not of one
    result = options(tmp_path, shared)
    assert starts(result) == numbered
    assert "4 cells, 0 of them done already" in result.stderr
    assert "4 cells: 4 played, 0 failed, 0 done already and skipped; " in result.stderr
    anew = options(tmp_path, shared, "--overwrite")
    assert starts(anew) == numbered
    assert "4 cells: 4 played, 0 failed, 0 done already and skipped; " in anew.stderr
    one = options(tmp_path, shared.replace("- method: full-context", "- {method: full-context, overwrite: true}"))
    assert starts(one) == [f"[{k}/3] {name}" for k, name in enumerate(["in-context", "base", "full-context"], 1)]
    assert "4 cells: 3 played, 0 failed, 1 done already and skipped; " in one.stderr


def test_the_time_left_is_that_of_all_blocks(shared: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert options(tmp_path, shared).exit_code == 0
    hour = Estimate(3600.0, None, "")
    monkeypatch.setattr("membench.estimates.estimate.Estimator.estimate", lambda *_: hour)
    result = options(tmp_path, shared, "--overwrite")
    first = next(line for line in result.stderr.splitlines() if line.startswith("[1/4]"))
    assert "; about 4 h 00 min left in all, until " in first


def test_cells_of_a_block_that_was_not_reached_are_done_all_the_same(
    shared: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert options(tmp_path, shared, "-m", "full-context").exit_code == 0

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("membench.playing.player.Player.play", stop)
    result = options(tmp_path, shared)
    assert result.exit_code == 130
    assert "4 cells: 0 played, 0 failed, 3 done already and skipped, 1 not played yet; " in result.stderr


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("{method: ft-s, task: batch, method-setting: {epoch: 1}}", "unknown setting 'epoch' of method ft-s"),
        ("{method: bm26, task: batch}", "unknown method 'bm26'"),
        ("{method: bm25, task: batch, data: nowhere}", "unknown data source 'nowhere'"),
    ],
)
def test_a_wrong_block_is_refused_with_its_place_before_any_is_played(
    tiny: Path, data_file: Path, tmp_path: Path, block: str, message: str
) -> None:
    blocks = (
        f"data: jsonl:{data_file}\noutput: {tmp_path / 'out'}\nruns:\n- {{method: bm25, task: single}}\n- {block}\n"
    )
    line = f"membench: {tmp_path / 'run.yaml'}:6: {message}"
    for model, flags in (
        (tiny, ()),
        (tiny, ("--dry-run",)),
        ("gemma3-270m", ("--dry-run",)),  # not fetched
    ):
        result = options(tmp_path, f"model: {model}\n{blocks}", *flags)
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
        assert result.stderr.startswith(line), result.stderr
    assert not (tmp_path / "out").exists()


def test_the_end_says_what_came_of_it_and_what_to_type_next(text: str, tmp_path: Path) -> None:
    result = options(tmp_path, text)
    lines = result.stderr.splitlines()
    place = tmp_path / "out"
    assert f"; in {place}" in lines[-4]
    assert lines[-4].startswith("7 cells: 7 played, 0 failed, 0 done already and skipped; ")
    assert lines[-3] == f"  membench leaderboard {place}"
    assert lines[-2] == f"  membench compare bm25 ft-s {place}"
    assert lines[-1].startswith("  membench run -C ")
    assert lines[-1].endswith("  # prints the same comparison; with -o OTHER plays it anew")
    assert call(*lines[-2].split()[1:]).exit_code == 0


def test_a_failed_cell_is_named_with_the_command_that_shows_it(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(*_: object) -> None:
        raise MembenchError("no room is left")

    monkeypatch.setattr(registry.load("methods", "ft-s"), "write", write)
    result = options(tmp_path, text)
    assert result.exit_code == 1
    assert "7 cells: 6 played, 1 failed, 0 done already" in result.stderr
    (line,) = (line for line in result.stderr.splitlines() if "membench show" in line)
    assert line.endswith("# ft-s on batch failed")
    shown = call(*line.partition("#")[0].split()[1:])
    assert "no room is left" in shown.stdout
    assert "the same command, or membench run -C" in result.stderr
