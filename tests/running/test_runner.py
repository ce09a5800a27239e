"""What a run plays, what it shares, and what it does about stored cells."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import membench
from membench.analysis.verify import verify
from membench.errors import MembenchError
from membench.io import weights
from membench.model.llm import LLM
from membench.store import cell_folder
from membench.store.records import read_records


@pytest.fixture(autouse=True)
def _quick(llm: LLM, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny model stays loaded between runs, and nothing waits for the disk."""
    monkeypatch.setattr(LLM, "load", lambda *_, **__: llm)
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def given(tiny: Path, data_file: Path, tmp_path: Path) -> dict[str, Any]:
    """Where to play; three contexts."""
    return {"data": f"jsonl:{data_file}", "model": str(tiny), "limit": 3, "output": tmp_path / "results"}


def folder_of(result: dict[str, Any], given: dict[str, Any]) -> Path:
    return cell_folder.folder_of(given["output"], result["recipe"])


def answers(result: dict[str, Any], given: dict[str, Any]) -> list[dict[str, Any]]:
    return [r for r in read_records(folder_of(result, given)) if r["type"] == "answer"]


def test_yardsticks_are_played_once_for_all_tasks(given: dict[str, Any]) -> None:
    results = membench.run("bm25", "single,batch,sequential", **given)
    assert [(r["recipe"]["method"], r["recipe"]["task"]) for r in results] == [
        ("in-context", "gold"),
        ("base", "gold"),
        ("bm25", "single"),
        ("bm25", "batch"),
        ("bm25", "sequential"),
    ]
    for result in results[2:]:
        assert result["yardsticks"].keys() == {"in-context", "base"}
        scored = [row["scores"] for row in answers(result, given)]
        assert all({"fidelity_f1", "fidelity_kl", "gold_logprob"} <= scores.keys() for scores in scored)
    assert all(verdict.ok for verdict in verify(given["output"]))


def test_the_right_passage_alone_is_the_reference_itself(given: dict[str, Any]) -> None:
    """BM25 finds these passages, so that it must answer as the reference does."""
    *_, result = membench.run("bm25", "single", **given)
    seen = [row["scores"] for row in answers(result, given) if row["position"]]
    assert all(scores["fidelity_kl"] == pytest.approx(0, abs=1e-5) for scores in seen)


def test_the_placebo_is_asked_of_a_memory_without_the_context(given: dict[str, Any]) -> None:
    *_, result = membench.run("bm25", "single", **given)
    rows = answers(result, given)
    placebo = [row for row in rows if row["position"] == 0]
    assert (len(rows), len(placebo)) == (12, 6)
    assert all(row["context"] != row["episode"] for row in placebo)
    assert result["summary"]["contains/placebo"]["contexts"].keys() == {"vellmar", "oxley", "brannow"}


def test_a_seed_orders_the_writes(given: dict[str, Any]) -> None:
    *_, first, other = membench.run("bm25", "sequential", seeds=(0, 3), **given)
    orders = [[row["context"] for row in answers(result, given) if row["position"] == 1] for result in (first, other)]
    assert set(orders[0]) == {"vellmar"}
    assert set(orders[1]) != {"vellmar"}


def test_overwrite_plays_all_anew(given: dict[str, Any]) -> None:
    first = membench.run("bm25", "single", **given)
    stray = folder_of(first[2], given) / "reference.safetensors"
    stray.write_bytes(b"of an older version")
    again = membench.run("bm25", "single", overwrite=True, **given)
    assert [(r["id"], r["summary"]) for r in again] == [(r["id"], r["summary"]) for r in first]
    assert not stray.exists()


def test_without_yardsticks_and_then_with_them(given: dict[str, Any]) -> None:
    (alone,) = membench.run("bm25", "single", yardsticks=False, **given)
    assert alone["yardsticks"] == {}
    assert all("fidelity_kl" not in row["scores"] for row in answers(alone, given))
    *_, completed = membench.run("bm25", "single", **given)
    assert completed["yardsticks"].keys() == {"in-context", "base"}
    assert completed | {"yardsticks": {}, "controls": alone["controls"]} == alone
    assert "need" in completed["controls"]["sizes"]
    assert all(verdict.ok for verdict in verify(given["output"]))
    membench.run("in-context", "single", yardsticks=False, **given | {"limit": 2})
    assert len(list(given["output"].glob("gold--base--*"))) == 1


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize("line", [b'{"type":"ans', b""])
def test_a_damaged_line_is_named_and_its_cell_alone_is_played_anew(
    given: dict[str, Any], finished: bool, line: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    results = membench.run("bm25", "single,sequential", **given)
    folder = folder_of(results[2], given)
    others = {p: p.stat().st_mtime_ns for p in given["output"].glob("*/result.json") if p.parent != folder}
    lines = (folder / "records.jsonl").read_bytes().split(b"\n")
    count, lines[3] = len(lines), line
    (folder / "records.jsonl").write_bytes(b"\n".join(lines))
    if not finished:
        (folder / "result.json").unlink()
    again = membench.run("bm25", "single,sequential", **given)
    said = "".join(capsys.readouterr().err.split())
    assert f"{folder}/records.jsonl:4:damagedrecord(noJSON);keptasrecords.jsonl.damaged-1" in said
    assert [r["summary"] for r in again] == [r["summary"] for r in results]
    assert len((folder / "records.jsonl").read_bytes().split(b"\n")) == count
    assert all(path.stat().st_mtime_ns == then for path, then in others.items())
    assert all(verdict.ok for verdict in verify(given["output"]))


def test_records_that_were_changed_are_played_anew(given: dict[str, Any]) -> None:
    first = membench.run("bm25", "single", **given)
    path = folder_of(first[0], given) / "records.jsonl"
    scores = [row["scores"] for row in answers(first[0], given)]
    path.write_text(path.read_text().replace('"contains":0.0', '"contains":1.0'))
    again = membench.run("bm25", "single", **given)
    assert again[0]["summary"] == first[0]["summary"]
    assert [row["scores"] for row in answers(first[0], given)] == scores
    assert 0.0 in [row["contains"] for row in scores]


def test_a_damaged_reference_is_read_again(given: dict[str, Any]) -> None:
    first = membench.run("bm25", "single", **given)
    kept = folder_of(first[0], given) / "reference.safetensors"
    whole = kept.read_bytes()
    kept.write_bytes(whole[:50])
    *_, result = membench.run("bm25", "sequential", **given)
    assert kept.read_bytes() == whole
    assert all("fidelity_kl" in row["scores"] for row in answers(result, given))


def test_a_result_of_a_newer_version_is_refused(given: dict[str, Any]) -> None:
    first = membench.run("bm25", "single", **given)
    path = folder_of(first[0], given) / "result.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": 99}))
    with pytest.raises(MembenchError, match=r"newer membench \(schema 99; this one reads 1\)"):
        membench.run("bm25", "single", **given)


def test_a_context_that_does_not_fit_is_refused_before_anything_is_played(
    given: dict[str, Any], tmp_path: Path, llm: LLM
) -> None:
    long = {"id": "saga", "context": "ship " * 2000, "questions": [{"question": "What?", "answers": ["ship"]}]}
    path = tmp_path / "long.jsonl"
    path.write_text(json.dumps(long))
    tokens = sum(map(len, llm.segment_ids(["ship " * 2000], "What?"))) + llm.max_new_tokens
    with pytest.raises(MembenchError, match=rf"context 'saga' .* takes {tokens} tokens .* is {llm.window}: split it"):
        membench.run("bm25", "single", **given | {"data": f"jsonl:{path}"})
    assert [path.name for path in given["output"].iterdir()] == ["runs"]  # what was planned, and no cell


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"style": "fancy"}, "unknown style 'fancy': choose from plain, twice, chat"),
        ({"dtype": "int8"}, "unknown dtype 'int8': choose from auto, float32, bfloat16, float16"),
        ({"limit": 0}, "limit must be at least 1, got 0"),
    ],
)
def test_what_no_model_can_do_is_refused_before_one_is_fetched(
    given: dict[str, Any], option: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "resolve", pytest.fail)
    with pytest.raises(MembenchError, match=message):
        membench.run("bm25", "single", **given | option)


def test_seeds_are_numbers(given: dict[str, Any]) -> None:
    found = membench.run("bm25", "sequential", **given | {"seeds": "0,1", "yardsticks": False})
    assert [result["recipe"]["seed"] for result in found] == [0, 1]
    with pytest.raises(MembenchError, match="seeds must be whole numbers, got '0,x'"):
        membench.run("bm25", "sequential", **given | {"seeds": "0,x"})


def test_data_with_fewer_contexts_than_asked_for_say_so(
    given: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    membench.run("base", "single", **given | {"limit": 50})
    assert "has 3 of the 50 contexts asked for" in " ".join(capfd.readouterr().err.split())
