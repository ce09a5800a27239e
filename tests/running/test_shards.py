"""Parts of a run, played anywhere: together they are the run, and each of them is whole by itself."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import membench
from membench.analysis.merge import merge
from membench.analysis.verify import verify
from membench.cli import main
from membench.errors import MembenchError
from membench.model.llm import LLM
from membench.planning.shards import shard
from membench.store import cell_folder
from tests.support.killed_runs import stored

METHODS, TASKS = "bm25,full-context", "sequential"


@pytest.fixture
def given(tiny: Path, data_file: Path, llm: LLM, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What to play; the tiny model stays loaded, and nothing waits for the disk."""
    monkeypatch.setattr(LLM, "load", lambda *_, **__: llm)
    monkeypatch.setattr(os, "fsync", lambda _: None)
    return {"data": f"jsonl:{data_file}", "model": str(tiny), "limit": 2, "seeds": (0, 1)}


def test_two_parts_merged_are_the_whole_run(given: dict[str, Any], tmp_path: Path) -> None:
    whole = membench.run(METHODS, TASKS, output=tmp_path / "whole", **given)
    parts = [membench.run(METHODS, TASKS, shard=f"{k}/2", output=tmp_path / f"part-{k}", **given) for k in (1, 2)]
    own = [{r["id"] for r in part if r["recipe"]["task"] != "gold"} for part in parts]
    assert own[0] | own[1] == {r["id"] for r in whole if r["recipe"]["task"] != "gold"}
    assert not own[0] & own[1]
    assert [len(those) for those in own] == [2, 2]
    for k, part in enumerate(parts, 1):
        assert all(r["yardsticks"].keys() == {"in-context", "base"} for r in part if r["recipe"]["task"] != "gold")
        assert all(verdict.ok for verdict in verify(tmp_path / f"part-{k}"))
    merge([tmp_path / "part-1", tmp_path / "part-2"], tmp_path / "merged")
    assert stored(tmp_path / "merged") == stored(tmp_path / "whole")


def test_parts_in_one_folder_play_their_yardsticks_once(given: dict[str, Any], tmp_path: Path) -> None:
    first = membench.run("bm25", "single", shard="1/2", output=tmp_path, **given)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("gold--*/records.jsonl")}
    second = membench.run("bm25", "single", shard="2/2", output=tmp_path, **given)
    assert len(kept) == 2
    assert all(path.stat().st_mtime_ns == then for path, then in kept.items())
    assert len({r["id"] for r in (*first, *second)}) == len(cell_folder.cells(tmp_path)) == 4


@pytest.mark.parametrize("typed", ["0/2", "3/2", "2", "1/0", "a/b", "1/2/3", "-1/2"])
def test_what_is_no_part_is_refused(typed: str) -> None:
    with pytest.raises(MembenchError, match="a shard is a part of so many, 1/4 to 4/4, got"):
        shard(typed)


def test_a_dry_run_shows_the_part_and_blocks_may_not_differ_in_it(given: dict[str, Any], tmp_path: Path) -> None:
    common = f"model: {given['model']}\ndata: {given['data']}\nlimit: 2\noutput: {tmp_path / 'r'}\n"
    file = tmp_path / "run.yaml"
    file.write_text(f"{common}shard: 1/2\nmethod: bm25\ntask: single\nseeds: [0, 1, 2, 3]\n")
    done = CliRunner().invoke(main, ["run", "-C", str(file), "--dry-run", "--json"])
    assert [row["method"] for row in json.loads(done.stdout)["cells"]].count("bm25") == 2, done.stderr
    file.write_text(f"{common}method: bm25\nruns:\n- task: single\n  shard: 1/2\n- task: batch\n")
    done = CliRunner().invoke(main, ["run", "-C", str(file), "--dry-run"])
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "shard is the whole run's: let it stand above `runs`" in done.stderr
