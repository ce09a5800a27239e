"""compare, advise, export and score over a small played run, through the command line and from Python."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

import membench
from membench.analysis import rescore
from membench.analysis.verify import verify
from membench.cli import app
from membench.metrics import answer_scores
from membench.store import cell_folder
from membench.store.recipe import GOLD, cell_id
from membench.store.records import read_records

pytestmark = pytest.mark.long

REFERENCE = Path(__file__).parents[2] / "results" / "reference"


@pytest.fixture(scope="module")
def played(tiny: Path, data_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two methods, one of them trained with two seeds, on two tasks."""
    root = tmp_path_factory.mktemp("decide") / "results"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEMBENCH_HOME", str(root.parent / "home"))
        membench.run(
            "bm25,ft-s", "single,batch", data=f"jsonl:{data_file}", model=str(tiny), limit=3, output=root, seeds=(0, 1),
            method_settings=("epochs=1", "pairs=1"),
        )  # fmt: skip
    return root


@pytest.fixture
def copy(played: Path, tmp_path: Path) -> Path:
    """The run, to be changed."""
    return Path(shutil.copytree(played, tmp_path / "results"))


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app.main, [str(part) for part in arguments])


def parsed(*arguments: object) -> Any:
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def refused(message: str, *arguments: object) -> None:
    result = call(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("membench: ")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr


def test_compare_pairs_by_question_in_every_common_table(played: Path) -> None:
    found = parsed("compare", "bm25", "ft-s", "-o", played, "--metric", "margin")
    assert len(found) == 2
    for one in found:
        assert one["wins"] + one["losses"] + one["ties"] == 6
        assert one["difference"] == pytest.approx(one["score_a"] - one["score_b"], abs=1e-9)
        assert one["low"] < one["difference"] < one["high"]
        assert one["verdict"] == "not resolved"  # three contexts resolve nothing
        assert one["p_flip"] >= 0.25
        assert one["cost_ratios"]["tokens_trained_per_context"] == 0
        assert len(one["cells"]) == 4


def test_compare_prints_what_a_reader_needs(played: Path) -> None:
    text = call("compare", "bm25", "base", "-o", played, "-t", "single").stdout
    assert all(f"| {line} |" in text for line in ("difference", "verdict", "p", "minimum detectable effect")), text
    assert "| questions won, lost, tied |" in text
    assert "| break-even, questions a context |" in text


def test_compare_refuses_what_it_cannot(played: Path) -> None:
    refused("unknown method 'bm52': did you mean 'bm25'?", "compare", "bm52", "ft-s", "-o", played)
    refused("bm25 is not compared with itself: name two", "compare", "bm25", "bm25", "-o", played)
    refused("unknown metric 'nix': known:", "compare", "bm25", "ft-s", "-o", played, "--metric", "nix")
    refused("no folder", "compare", "bm25", "ft-s", "-o", played / "none")


def test_advise_keeps_limits_and_says_what_it_does_not_know(played: Path) -> None:
    size = ("--texts", 20, "--questions-per-month", 1000)

    def advice(*limits: object, task: str = "batch") -> Any:
        done = call("advise", *size, *limits, "-t", task, played, "--json")
        assert done.exit_code == 3, "a random model is not above the floor"
        return json.loads(done.stdout)

    found = advice("--max-bytes", 1e5)
    by_name = {c["label"].split()[0]: c for c in found["candidates"]}
    cell = next(c for c in cell_folder.cells(played) if c.recipe["method"] == "bm25" and c.recipe["task"] == "batch")
    assert by_name["bm25"]["misses"] == []
    assert advice("--max-bytes", 10)["candidates"][0]["misses"][0].startswith("bytes ")
    assert cell.id in by_name["bm25"]["cells"]
    assert any("seconds are extrapolated in proportion" in note for note in found["notes"])
    assert found["choice"] is None
    assert advice("--max-bytes", "100 kB") == found
    strict = advice("--max-damage", 0.1)
    assert all("damage not measured" in c["misses"] for c in strict["candidates"])
    assert strict["because"] == "nothing stored tells of damage"
    assert "one text at a time" in advice(task="single")["because"]


def test_advise_refuses_what_it_cannot(played: Path) -> None:
    refused("'1 h' is no time", "advise", "--p95", "1 h", "--texts", 3, "--questions", 3, played)
    refused(
        "'10 mB2' is no number of bytes", "advise", "--max-bytes", "10 mB2", "--contexts", 3, "--questions", 3, played
    )
    refused("Missing option '--texts'", "advise", "--questions", 3, played)
    refused("no stored table has a method", "advise", "--contexts", 3, "--questions", 3, "-t", "latency", played)


def test_export_writes_the_same_rows_as_csv_and_parquet(played: Path, tmp_path: Path) -> None:
    import pyarrow.parquet

    kept = parsed("export", tmp_path / "a.csv", "-o", played)
    assert call("export", tmp_path / "a.parquet", "-o", played).exit_code == 0
    with (tmp_path / "a.csv").open() as file:
        rows = list(csv.DictReader(file))
    table = pyarrow.parquet.read_table(tmp_path / "a.parquet").to_pylist()
    assert len(rows) == len(table) == kept["count"]
    assert [float(r["value"]) for r in rows] == [r["value"] for r in table]
    cell = cell_folder.find(played, rows[0]["cell"])
    answers = [r for r in read_records(cell.folder) if r["type"] == "answer"]
    assert float(rows[0]["value"]) == answers[0]["scores"][rows[0]["score"]]


def test_export_speaks_to_model_cards_and_lm_eval(played: Path, tmp_path: Path) -> None:
    from huggingface_hub.repocard_data import model_index_to_eval_results

    assert call("export", tmp_path / "a.yaml", "--form", "model-index", "-o", played).exit_code == 0
    index = yaml.safe_load((tmp_path / "a.yaml").read_text())["model-index"]
    bm25 = next(model for model in index if model["name"].startswith("bm25"))
    _, back = model_index_to_eval_results([bm25])
    rows = [r for r in membench.leaderboard(played, task="batch") if r["method"] == "bm25" and r["subset"] == "all"]
    value = {r["metric"]: r["score"] for r in rows}
    assert {r.task_name for r in back} == {"single", "batch"}
    f1 = next(r.metric_value for r in back if (r.task_name, r.metric_name) == ("batch", "f1/all"))
    assert f1 == pytest.approx(value["f1"], abs=1e-5)  # stored values are rounded
    assert call("export", tmp_path / "a.json", "--form", "lm-eval", "-o", played).exit_code == 0
    results = json.loads((tmp_path / "a.json").read_text())["results"]
    (mine,) = (those for label, those in results.items() if label.startswith("batch|") and "bm25" in label)
    assert mine["f1,all"] == pytest.approx(value["f1"], abs=1e-5)
    assert mine["f1_stderr,all"] >= 0


def test_export_refuses_what_it_cannot(played: Path, tmp_path: Path) -> None:
    refused("ends in .csv or .parquet", "export", tmp_path / "a.txt", "-o", played)
    refused("unknown form 'tidi': did you mean 'tidy'?", "export", tmp_path / "a.csv", "--form", "tidi", "-o", played)
    refused("there is no folder", "export", tmp_path / "none" / "a.csv", "-o", played)
    (tmp_path / "empty").mkdir()
    refused("nothing stored has results", "export", tmp_path / "a.csv", "-o", tmp_path / "empty")


def stored(root: Path) -> dict[str, Mapping[str, Any]]:
    return {cell.folder.name: cell.result for cell in cell_folder.cells(root)}


def test_scoring_again_changes_nothing_with_the_same_scorer(copy: Path) -> None:
    before = stored(copy)
    rows = parsed("score", "--all", "-o", copy)
    assert {row["cell"]: row["changed"] for row in rows} == dict.fromkeys(before, 0)
    assert stored(copy) == before


def test_another_version_of_the_metrics_makes_cells_of_its_own(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All f1 scores become 0.25 and all that follows from them; likelihoods stay; every number comes out."""
    before = stored(copy)
    of_today = answer_scores.score_answer
    monkeypatch.setattr(answer_scores, "score_answer", lambda q, a: of_today(q, a) | {"f1": 0.25})
    monkeypatch.setattr(rescore, "METRIC_VERSION", answer_scores.METRIC_VERSION + 1)
    cell = next(c for c in cell_folder.cells(copy) if c.recipe["method"] == "ft-s" and c.recipe["task"] == "batch")
    rows = parsed("score", cell.id, "-o", copy)
    assert [row["cell"].split("--")[1] for row in rows] == ["in-context", "base", "ft-s"]
    new = stored(copy)
    assert {name: new[name] for name in before} == before
    fresh = new[rows[2]["stored"]]
    assert fresh["summary"]["f1/all"]["value"] == 0.25
    assert fresh["yardsticks"]["base"]["f1/all"]["value"] == 0.25
    assert fresh["summary"]["gold_logprob/all"] == cell.result["summary"]["gold_logprob/all"]
    assert (fresh["recipe"]["metric_version"], fresh["rescored_from"]) == (answer_scores.METRIC_VERSION + 1, cell.id)
    assert [problem for verdict in verify(copy) for problem in verdict.problems] == []
    rest = parsed("score", "--all", "-o", copy)  # what an old cell became is not made again
    assert {row["cell"] for row in rest} == set(new) - {row["cell"] for row in rows}
    assert {row["metric_version"] for row in membench.leaderboard(copy)} == {answer_scores.METRIC_VERSION + 1}


def test_every_number_of_the_reference_run_comes_out() -> None:
    assert [verdict for verdict in verify(REFERENCE) if not verdict.ok] == []


def test_answers_stored_without_distractors_need_the_data_as_they_were(tmp_path: Path) -> None:
    copy = tmp_path / "results"
    every = cell_folder.cells(REFERENCE)
    first_version = ("ft-c", "single", "worlds", "smollm2-135m")  # before distractors were kept beside the answers
    keys = ("method", "task", "data", "model")
    mine = (c for c in every if tuple(c.recipe[key] for key in keys) == first_version)
    chosen = next(c for c in mine if c.recipe["settings"] == c.recipe["defaults"])
    for found in (chosen, *(c for c in every if c.recipe["task"] == GOLD)):
        shutil.copytree(found.folder, copy / found.folder.name)
    cell = cell_folder.find(copy, chosen.id)
    assert {row["changed"] for row in parsed("score", cell.id, "-o", copy)} == {0}
    assert all(verdict.ok for verdict in verify(copy))
    recipe = {**cell.recipe, "data_hash": "other"}
    other = {**cell.result, "recipe": recipe, "id": cell_id(recipe)}
    cell_folder.write_json(cell.folder / "result.json", other)
    refused("are no longer those that were asked", "score", other["id"], "-o", copy)


def test_score_refuses_what_it_cannot(copy: Path) -> None:
    refused("name cells or say --all", "score", "-o", copy)
    refused("name cells or say --all", "score", "zz", "--all", "-o", copy)
    refused("no cell 'zz'", "score", "zz", "-o", copy)
