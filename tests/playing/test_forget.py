"""The `Forget` step from the task to the table: what is left, what is counted, a kill at that step, who cannot."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import membench
from membench.analysis.verify import verify
from membench.api import Answer, Ask, Dataset, Episode, Forget, Metric, Task, Write
from membench.io import memory_codec as memories
from membench.model.llm import LLM
from membench.plugins import registry
from membench.plugins.tiny_model import tiny_encoder
from membench.store import cell_folder
from membench.store.records import read_records
from membench.views import summarise_placebo, summarise_seen

STORES = ("bm25", "dpr", "full-context", "infllm", "cartridge", "raptor")


@dataclass(frozen=True)
class Recant(Task):
    """Writes a and b, forgets a, and asks before and after; another memory never saw a."""

    def episodes(self, data: Dataset, seed: int) -> Iterator[Episode]:
        a, b, c = data.contexts
        ask = Ask((*a.questions, *b.questions))
        yield Episode("recanted", (Write((a, b)), ask, Forget((a,)), ask, Write((c,)), ask))
        yield Episode("never", (Forget((a,)), Write((b,)), ask, Write((c,)), ask))

    def summarise(self, answers: Sequence[Answer]) -> dict[str, Metric]:
        return summarise_seen(answers) | summarise_placebo(answers)


@pytest.fixture(autouse=True)
def _set_up(llm: LLM, monkeypatch: pytest.MonkeyPatch) -> None:
    """`recant` is installed, the tiny model stays loaded, and nothing waits for the disk."""
    load = registry.load
    monkeypatch.setattr(registry, "require", lambda kind, names: None)  # it is not registered
    monkeypatch.setattr(registry, "load", lambda kind, name: Recant if name == "recant" else load(kind, name))
    monkeypatch.setattr(LLM, "load", lambda *_, **__: llm)
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def given(tiny: Path, data_file: Path, tmp_path: Path) -> dict[str, Any]:
    """Where to play; three contexts."""
    return {
        "data": f"jsonl:{data_file}", "model": str(tiny), "limit": 3, "yardsticks": False,
        "output": tmp_path / "results",
    }  # fmt: skip


def quick(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """The same, with settings that make this method quick."""
    encoder = given["output"].with_name("encoder")
    own = {"cartridge": ("epochs=1",), "selfparam": ("epochs=1", "replay=1")}
    if name in ("dpr", "raptor"):
        own[name] = (f"encoder={tiny_encoder(encoder)}",)
    return given | {"method_settings": own.get(name, ())}


def records(result: dict[str, Any], given: dict[str, Any]) -> list[dict[str, Any]]:
    return read_records(cell_folder.folder_of(given["output"], result["recipe"]))


def timeless(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k not in ("seconds", "cell_peak_bytes")} for row in rows]


@pytest.mark.parametrize("name", STORES)
def test_what_was_forgotten_leaves_no_trace(name: str, given: dict[str, Any]) -> None:
    given = quick(name, given)
    (result,) = membench.run(name, "recant", **given)
    assert result["status"] == "done"
    rows = records(result, given)
    states = {(r["episode"], r["step"]): r["memory"] for r in rows if r["type"] in ("write", "forget")}
    assert states["recanted", 2] == states["never", 1]
    assert states["recanted", 4] == states["never", 3]
    assert states["recanted", 0] != states["recanted", 2]
    assert states["never", 0] == memories.digest(None)
    answers = {(r["episode"], r["step"], r["question"]): r for r in rows if r["type"] == "answer"}
    for (episode, step, question), row in answers.items():
        if episode == "recanted" and step > 1:
            other = answers["never", step - 1, question]
            assert (row["answer"], row["scores"]) == (other["answer"], other["scores"])


@pytest.mark.parametrize("name", STORES)
def test_a_forgotten_context_counts_as_one_that_the_memory_does_not_hold(name: str, given: dict[str, Any]) -> None:
    given = quick(name, given)
    (result,) = membench.run(name, "recant", **given)
    rows = [r for r in records(result, given) if r["type"] == "answer" and r["episode"] == "recanted"]
    held = {(r["step"], r["context"]): 0 < r["position"] <= r["written"] for r in rows}
    assert held == {
        (1, "vellmar"): True, (1, "oxley"): True, (3, "vellmar"): False, (3, "oxley"): True,
        (5, "vellmar"): False, (5, "oxley"): True,
    }  # fmt: skip
    costs = result["costs"]
    assert costs["forget_seconds_per_context"] is not None
    ends = [r for r in records(result, given) if r["type"] == "write" and r["step"] in (3, 4)]
    assert costs["state_bytes"] == sum(r["state_bytes"] for r in ends) / 2
    assert all(verdict.ok for verdict in verify(given["output"]))


@pytest.mark.parametrize("saved", [False, True])
@pytest.mark.parametrize("name", [*STORES, "selfparam"])
def test_a_kill_at_the_step_leaves_no_trace(
    name: str, saved: bool, given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = quick(name, given)
    whole = records(membench.run(name, "recant", **given)[0], given)
    save, times = memories.save, []

    def die(memory: Any, folder: Path) -> None:
        times.append(folder)
        if len(times) == 2 and not saved:
            raise KeyboardInterrupt
        save(memory, folder)
        if len(times) == 2:
            raise KeyboardInterrupt

    again = given | {"output": given["output"].with_name("again")}
    with monkeypatch.context() as patch:
        patch.setattr(memories, "save", die)
        with pytest.raises(KeyboardInterrupt):
            membench.run(name, "recant", **again)
    assert timeless(records(membench.run(name, "recant", **again)[0], again)) == timeless(whole)


def test_who_cannot_forget_says_so_before_anything_is_written(given: dict[str, Any]) -> None:
    pool, done = membench.run("memoryllm,bm25", "recant", **given)
    assert pool["status"] == "failed"
    assert pool["reason"] == (
        "memoryllm cannot forget: later vectors of its pool were made while reading earlier ones, and to write the "
        "others anew costs a pass of the model over each; the contexts that are left at step 3 of recanted would have "
        "to be written again (1)"
    )
    assert records(pool, given) == []
    assert done["status"] == "done"
