"""Drift: what a step measures, that every method is measured alike, its records, and a kill inside a step."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from membench.analysis.verify import verify
from membench.api import Adapter, Answer, Dataset, Drift, Episode, Method, Metric, Recall, Task, Write, settings_of
from membench.corpora import test_suites
from membench.corpora.generic_text import generic_texts
from membench.corpora.test_suites import Item, common_knowledge, drift_texts, suite
from membench.errors import MembenchError
from membench.model.llm import LLM
from membench.planning.plan import plan
from membench.planning.request import Request
from membench.planning.validation import ModelInfo
from membench.playing.drift import Prompt, baseline, follow, measure
from membench.plugins import registry
from membench.running import runner
from membench.store.records import read_records

STEP = Drift()


def shaken(llm: LLM, size: float) -> Adapter:
    """A random adapter on one projection."""
    name = "model.layers.0.mlp.down_proj"
    down, up = llm.model.get_submodule(name).weight.shape
    rng = torch.Generator().manual_seed(0)
    layer = {name: {"A": torch.randn(2, up, generator=rng), "B": size * torch.randn(down, 2, generator=rng)}}
    return Adapter((layer,), 1.0)


def test_the_empty_memory_does_not_drift(llm: LLM) -> None:
    found = measure(llm, lambda _: Recall(), baseline(llm, STEP))
    assert len(found["texts"]) == test_suites.TEXTS
    assert all(row[1] == row[2] and row[3] == 0 for row in found["texts"])
    assert all(then == now == 1 for then, now in found["items"]["common"])


def test_likelihood_is_that_of_the_model_itself(llm: LLM) -> None:
    """Against transformers' own loss: the tree, the prompt and the shift by one token are right."""
    base = baseline(llm, STEP)
    prompt = base.texts[3]
    opening = [*llm.bos, *llm.ids("What was written.\n")]
    ids = [*opening, *prompt.ids, *prompt.ends[0]]
    labels = [-100] * (len(opening) + len(prompt.ids)) + list(prompt.ends[0])
    with torch.no_grad():
        loss = llm.model(input_ids=torch.tensor([ids]), labels=torch.tensor([labels])).loss.item()
    found = measure(llm, lambda prompts: Recall(contexts=(("What was written.",),) * len(prompts)), base)
    assert found["texts"][3][2] == pytest.approx(loss, abs=1e-4)
    assert found["texts"][3][2] != found["texts"][3][1]


def test_memories_of_every_kind_drift_and_the_stronger_more(llm: LLM) -> None:
    base = baseline(llm, STEP)
    weak, strong = (
        measure(llm, lambda _, size=size: Recall(adapter=shaken(llm, size)), base)["texts"]  # type: ignore[misc]
        for size in (0.01, 0.3)
    )
    assert all(0 <= a[3] < b[3] for a, b in zip(weak, strong, strict=True))
    texts = measure(llm, lambda prompts: Recall(contexts=tuple((p,) for p in prompts)), base)["texts"]
    assert all(row[3] > 0 for row in texts)


@pytest.mark.parametrize("name", ["memoryllm", "infllm"])
def test_recalled_keys_and_values_drift_too(llm: LLM, name: str) -> None:
    method = registry.load("methods", name)(llm=llm)
    memory = method.write(None, ["The harbour of Vellmar was built by Ines Corde in 1931. It holds forty ships."])
    prompts = [Prompt("Most ships", tuple(llm.ids("Most ships")), (tuple(llm.ids(" are old.")),))]
    (bare,) = follow(llm, Recall(), prompts)
    (under,) = follow(llm, method.recall(memory, ["Most ships"]), prompts)
    assert [h.shape for h in under] == [h.shape for h in bare]
    assert (under[0] - bare[0]).abs().max() > 1e-2
    (again,) = follow(llm, method.recall(None, ["Most ships"]), prompts)
    assert torch.allclose(again[0], bare[0], atol=1e-5)


def test_a_memory_is_asked_with_the_prompt_and_sees_nothing_that_is_scored(llm: LLM) -> None:
    seen: list[str] = []

    def recall(prompts: Sequence[str]) -> Recall:
        seen.extend(prompts)
        return Recall()

    base = baseline(llm, STEP)
    measure(llm, recall, base)
    assert len(seen) == len(base.texts) + len(base.items["common"])
    for prompt, text in zip(seen, drift_texts("builtin"), strict=False):
        assert text.startswith(prompt)
        assert len(llm.ids(prompt)) < len(llm.ids(text))


def test_texts_are_held_out_and_the_shipped_set_is_sound() -> None:
    assert set(drift_texts("builtin")) <= set(generic_texts("builtin").held_out)
    items = common_knowledge()
    assert len(items) == 64
    assert len({item.prompt for item in items}) == 64
    assert all(len(set(item.choices)) == 4 and item.gold == 0 for item in items)


FORMS: dict[str, tuple[dict[str, Any], Item]] = {
    "arc-easy": (
        {"query": "Question: Which melts?", "choices": ["ice", "sand"], "gold": 1},
        Item("Question: Which melts?\nAnswer:", ("ice", "sand"), 1),
    ),
    "arc-easy on the hub": (
        {"question": "Which melts?", "choices": {"text": ["ice", "sand"], "label": ["A", "B"]}, "answerKey": "B"},
        Item("Question: Which melts?\nAnswer:", ("ice", "sand"), 1),
    ),
    "piqa": (
        {"query": "Question: dry a shirt\n", "choices": ["hang it", "boil it"], "gold": 0},
        Item("Question: dry a shirt\nAnswer:", ("hang it", "boil it")),
    ),
    "piqa on the hub": (
        {"goal": "dry a shirt", "sol1": "hang it", "sol2": "boil it", "label": 0},
        Item("Question: dry a shirt\nAnswer:", ("hang it", "boil it")),
    ),
    "lambada": ({"context": "He lost his", "continuation": "keys"}, Item("He lost his", ("keys",))),
    "lambada on the hub": ({"text": "He lost his keys"}, Item("He lost his", ("keys",))),
    "wikidata": (
        {"context": "The country of Novosibirsk is", "continuation": "Russia"},
        Item("The country of Novosibirsk is", ("Russia",)),
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_readers_of_test_sets(name: str, tmp_path: Path) -> None:
    row, item = FORMS[name]
    path = tmp_path / "set.jsonl"
    path.write_text(json.dumps(row) + "\n")
    assert suite(f"{name.split()[0]}:{path}") == (item,)


def test_how_many_items_are_read_is_a_setting_that_leaves_recipes_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(f"{json.dumps(FORMS['piqa'][0])}\n" * 400)
    assert (len(suite(f"piqa:{path}")), len(suite(f"piqa:{path}", 300))) == (64, 300)
    assert len(suite(f"wikidata:{path}", 40)) == 320  # of which the first 40 are kept that the model knows
    assert len(suite("common", 300)) == 64
    few, many = (test_suites.drift_digest(Drift(suites=(f"piqa:{path}",), items=n)) for n in (64, 300))
    assert few != many
    for name in ("sequential", "contamination"):
        task = registry.load("tasks", name)
        assert "drift_items" not in settings_of(task())
        assert settings_of(task(drift_items=300))["drift_items"] == 300
        with pytest.raises(MembenchError, match=f"setting drift_items of {name} wants 1 or more, got 0"):
            task(drift_items=0)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"query": "Q", "choices": ["a", "b"], "gold": 2}, "2: the right choice must be a number from 0 to 1, got 2"),
        ({"query": "Q", "choices": ["a"], "gold": 0}, "2: wants two choices or more"),
        ({"text": "alone"}, "2: 'text' must have two words"),
        ({"other": 1}, "2: wants one of the fields query"),
    ],
)
def test_bad_items_are_named(row: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text("\n" + json.dumps(row))
    with pytest.raises(MembenchError, match=message):
        suite(f"piqa:{path}")


def test_unknown_sets_and_short_texts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MembenchError, match="choose from common, arc-easy, piqa, lambada, wikidata"):
        suite("mmlu")
    with pytest.raises(MembenchError, match="test set wikidata needs a file or a hub id: write wikidata:FILE"):
        suite("wikidata")
    path = tmp_path / "short.txt"
    path.write_text("\n".join(f"Text {k}." for k in range(10)))
    with pytest.raises(MembenchError, match="no text of 20 words or more"):
        drift_texts(f"file:{path}")


def test_of_cloze_prompts_those_are_kept_that_the_model_knows(
    llm: LLM, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"context": f"The number behind {k} is", "continuation": str(k + 1)} for k in range(100)]
    path = tmp_path / "cloze.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    known = {k: k >= 30 for k in range(100)}
    monkeypatch.setattr(
        "membench.playing.drift._is_right", lambda _llm, prompt, _states: known[int(prompt.text.split()[3])]
    )
    asked, plain = f"wikidata:{path}", f"lambada:{path}"
    base = baseline(llm, Drift(suites=(asked, plain)))
    asked, plain = "wikidata:cloze.jsonl", "lambada:cloze.jsonl"  # what is stored names no folder
    assert [p.text for p in base.items[asked]] == [row["context"] for row in rows[30:94]]
    assert base.right[asked] == (True,) * 64
    assert base.right[plain] == (False,) * 30 + (True,) * 34
    known[40] = False
    found = measure(llm, lambda _: Recall(), base)
    assert found["items"][asked].count([1, 0]) == 1


def test_two_test_sets_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MembenchError, match=r"two test sets for drift are called piqa:x\.jsonl"):
        test_suites.drift_digest(Drift(suites=(f"piqa:{tmp_path}/a/x.jsonl", f"piqa:{tmp_path}/b/x.jsonl")))


def test_wikitext_comes_from_the_hub_by_its_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str, str | None]] = []

    def rows(name: str, split: str, config: str | None = None) -> Iterable[dict[str, Any]]:
        asked.append((name, split, config))
        return [{"text": ""}, {"text": " = Head = "}, {"text": " word" * 30}]

    monkeypatch.setattr(test_suites, "hub_rows", rows)
    test_suites._wikitext.cache_clear()
    assert drift_texts("wikitext") == (" word" * 30,)
    assert asked == [("Salesforce/wikitext", "validation", "wikitext-2-raw-v1")]
    test_suites._wikitext.cache_clear()


def test_a_later_setting_leaves_stored_ids_and_drift_changes_them() -> None:
    info = ModelInfo("tiny", "", "w", "float32", "plain")

    def recipe(*settings: str) -> dict[str, Any]:
        request = Request(("bm25",), ("sequential",), limit=2, task_settings=settings, yardsticks=False)
        (cell,) = plan(request, info, "p")
        return cell.recipe

    assert recipe()["task_settings"] == {"questions": 4}
    assert recipe()["sources"] == {}
    drifting = recipe("drift=1")
    assert drifting["task_settings"] == {"questions": 4, "drift": 1}
    assert len(drifting["sources"]["drift"]) == 1


def test_sequential_drifts_after_every_so_many_writes_and_after_the_last() -> None:
    data: Dataset = registry.load("data", "worlds")().load("", 5, 0)
    made: Task = registry.load("tasks", "sequential")(drift=2)
    (episode,) = made.episodes(data, 0)
    kinds = "".join(type(step).__name__[0] for step in episode.steps)
    assert kinds == "WAWADWAWADWAD"


@dataclass(frozen=True)
class Shaking(Method[int]):
    """A memory that is a number, and worn as so much noise."""

    def write(self, memory: int | None, contexts: Sequence[str]) -> int:
        return (memory or 0) + len(contexts)

    def recall(self, memory: int | None, questions: Sequence[str]) -> Recall:
        return Recall(adapter=shaken(self.llm, 0.1 * memory)) if memory else Recall()


@dataclass(frozen=True)
class OnlyDrift(Task):
    """Drift at the start, after one write and after two."""

    def episodes(self, data: Dataset, seed: int) -> Iterable[Episode]:
        a, b = data.contexts[:2]
        yield Episode("e", (STEP, Write((a,)), STEP, Write((b,)), STEP))

    def summarise(self, answers: Sequence[Answer]) -> dict[str, Metric]:
        return {}


def test_the_runner_plays_drift_for_any_method_and_task(
    tiny: Path, data_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = registry.load
    made = {"shaking": Shaking, "only-drift": OnlyDrift}
    monkeypatch.setattr(registry, "require", lambda kind, names: None)  # it is not registered
    monkeypatch.setattr(registry, "load", lambda kind, name: made.get(name) or load(kind, name))
    request = Request(
        ("shaking", "bm25"), ("only-drift",), (f"jsonl:{data_file}",), str(tiny), yardsticks=False, output=tmp_path
    )
    console = Console(quiet=True)
    results = {r["recipe"]["method"]: r for r in runner.run(request, console)}
    curve = results["shaking"]["summary"]["drift_kl/all"]["curve"]
    assert curve[0] == 0 < curve[1] < curve[2]
    assert results["bm25"]["summary"]["drift_kl/all"]["curve"][0] == 0
    assert results["bm25"]["summary"]["drift_kl/all"]["value"] > 0
    assert all(v.ok for v in verify(tmp_path))
    assert runner.run(request, console) == list(results.values())
    (folder,) = tmp_path.glob("only-drift--shaking*")
    records = read_records(folder)
    assert [r["type"] for r in records] == ["drift", "write", "drift", "write", "drift"]
    assert records[4]["tokens"]["reader"]["read"] > 500
    lines = (folder / "records.jsonl").read_text().splitlines()
    (folder / "records.jsonl").write_text("\n".join([*lines[:4], lines[4].replace("[1,1]", "[1,0]")]) + "\n")
    assert any(not v.ok for v in verify(tmp_path))


def test_a_kill_inside_a_drift_step_leaves_no_trace(
    tiny: Path, data_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.support.killed_runs import play, request, stored

    monkeypatch.setenv("MEMBENCH_HOME", str(tmp_path / "home"))

    def job(name: str, **kill: Any) -> dict[str, Any]:
        asked = request(tiny, data_file, tmp_path / name) | {"methods": ["bm25"], "yardsticks": False}
        return {"request": asked | {"limit": 2, "task_settings": ["drift=1"], "method_settings": []}, **kill}

    kills = [("tear", "drift", 1), ("drift", "", 2), ("drift", "", 1), ("tear", "drift", 1)]
    ended = play([job("whole")], *([job("killed", kill=kill)] for kill in kills), [job("killed")])
    assert ended == [[0], *[[signal.SIGKILL]] * len(kills), [0]]
    assert stored(tmp_path / "killed") == stored(tmp_path / "whole")
