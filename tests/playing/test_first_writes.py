"""First writes of several contexts in one pass: the cell that is played is the one of writes made one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import membench
from membench.batched import first_writes
from membench.checkpoints.budgets import Budgets
from membench.model.llm import LLM
from membench.plugins import registry
from membench.store import cell_folder
from membench.store.records import read_records
from tests.support.killed_runs import timeless

SETTINGS = ("epochs=1", "rank=2", "generic=0", "precision=float32")


def played(llm: LLM, together: int, monkeypatch: pytest.MonkeyPatch, method: str, **given: Any) -> tuple[Path, Any]:
    """The folder and the result of one cell of `single`."""
    monkeypatch.setattr(LLM, "load", lambda *_, **__: llm)
    monkeypatch.setattr(llm, "budgets", Budgets(first_writes=together))
    (result,) = membench.run(method, "single", yardsticks=False, **given)
    return cell_folder.folder_of(given["output"], result["recipe"]), result


def test_a_cell_is_the_same_to_rounding_and_stopped_and_resumed_the_very_same(
    llm: LLM, tiny: Path, data_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"data": f"jsonl:{data_file}", "model": str(tiny), "limit": 3, "method_settings": SETTINGS}
    alone = read_records(played(llm, 1, monkeypatch, "selfparam", output=tmp_path / "alone", **given)[0])
    calls: list[int] = []
    write_each = first_writes.write_each

    def counted(method: Any, texts: Any) -> Any:
        calls.append(len(texts))
        return write_each(method, texts)

    monkeypatch.setattr("membench.playing.first_writes.write_each", counted)
    folder, result = played(llm, 2, monkeypatch, "selfparam", output=tmp_path / "together", **given)
    whole = read_records(folder)
    assert calls == [2]  # the third context has no other beside it
    for one, other in zip(alone, whole, strict=True):
        if one["type"] == "answer":
            assert one | {"scores": 0} == other | {"scores": 0}
            assert other["scores"] == pytest.approx(one["scores"], abs=2e-3)
    trained = [[r["tokens"]["reader"]["trained"] for r in rows if r["type"] == "write"] for rows in (alone, whole)]
    assert sum(trained[0]) == sum(trained[1])
    assert all(r["seconds"] > 0 for r in whole if r["type"] == "write")

    lines = (folder / "records.jsonl").read_bytes().splitlines(keepends=True)
    closing = [k for k, row in enumerate(whole) if row["type"] != "answer"]
    for end in (closing[0] + 1, closing[2]):  # behind the first write, and between the two of the group
        (folder / "records.jsonl").write_bytes(b"".join(lines[:end]))
        (folder / "result.json").unlink()
        _, resumed = played(llm, 2, monkeypatch, "selfparam", output=tmp_path / "together", **given)
        assert timeless(read_records(folder)) == timeless(whole)
        assert resumed["summary"] == result["summary"]


def test_methods_that_train_nothing_rehearse_or_write_in_another_way_write_alone(
    llm: LLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(llm, "budgets", Budgets(first_writes=4))
    found = {
        name: first_writes.at_once(registry.load("methods", name)(llm=llm, **settings))
        for name, settings in (("selfparam", {}), ("cartridge", {}), ("bm25", {}), ("ft-s", {"replay": 1.0}))
    }
    assert found == {"selfparam": 4, "cartridge": 1, "bm25": 1, "ft-s": 1}
