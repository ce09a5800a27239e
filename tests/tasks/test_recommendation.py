"""The recommendation task: planted answers, its script, its baselines, and a whole run on a tiny model."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import membench
from membench.analysis.verify import verify
from membench.api import Answer, Ask, Context, Metric, Question, Task, Write
from membench.cli.app import main
from membench.corpora.dialogues import Dialogues, mentioned, turn_tags
from membench.errors import MembenchError
from membench.model.llm import LLM
from membench.plugins import registry
from membench.store import cell_folder
from membench.store.records import read_records
from membench.tables.leaderboard import rows, tables

FILMS = ("Alpha Rising", "Beta", "The Gamma Affair", "Delta", "Epsilon", "Zeta", "Eta", "Theta", "Iota", "Kappa")


def turn(id_: str, golds: Sequence[str], before: Sequence[str] = (), context: str = "") -> Question:
    dialogue = id_.partition(".")[0]
    return Question(id_, "User: Hi!", tuple(golds), context or dialogue, (), turn_tags(dialogue, tuple(before)))


def dialogues(*turns: Question) -> Dialogues:
    told = {"c0": ("Beta", "Zeta"), "c1": ("Zeta",), "c2": ("Alpha Rising", "Zeta", "Beta")}
    contexts = tuple(Context(name, f"System: Watch {' and '.join(films)}.", ()) for name, films in told.items())
    return Dialogues("made", contexts, items=FILMS, turns=turns, recommended=told, split="by hand")


def task(*turns: Question, **settings: Any) -> Task:
    made: Task = registry.load("tasks", "recommendation")(**settings)
    return made.over(dialogues(*turns))


def summary(answer: Callable[[Question], str], *turns: Question, **settings: Any) -> dict[str, Metric]:
    """What a run amounts to in which a turn is answered so."""
    made = task(*turns, **settings)
    return made.summarise(list(answers(made, dialogues(*turns), answer)))


def answers(made: Task, data: Dialogues, answer: Callable[[Question], str]) -> Iterator[Answer]:
    (episode,) = made.episodes(data, 0)
    for question in episode.steps[1].questions if isinstance(episode.steps[1], Ask) else ():
        text = answer(question)
        position = next((i for i, c in enumerate(data.contexts, 1) if c.id == question.context), 0)
        yield Answer(
            episode.name, 1, len(data.contexts), position, question.id, question.context, question.tags,
            question.text, question.answers, text, made.score(question, text),
        )  # fmt: skip


TURNS = (turn("a.1", ["Beta"]), turn("a.2", ["Delta", "Zeta"], ["Zeta"]), turn("b.1", ["Eta"]))


def test_the_perfect_list_has_recall_one_in_every_view() -> None:
    found = summary(lambda q: ", ".join([*q.answers, "Iota", "Kappa", "Theta"]), *TURNS)
    for view in ("all", "rec", "dis"):
        assert found[f"recall@5/{view}"].value == 1.0
    assert found["valid/all"].value == 1.0
    assert found["recall@1/all"].value == 0.75  # of the four gold items one can only be second
    assert found["mrr/all"].value == pytest.approx(3.5 / 4)
    assert found["ndcg@5/all"].value == pytest.approx((3 + 1 / 1.584962500721156) / 4)
    assert found["distinct/all"].value == 7


def test_dots_are_a_failure_of_format_and_no_recall() -> None:
    """What the fine-tuned baselines of the published table wrote: 512 tokens of dots, matched to some title anyhow."""
    for dots in ("." * 512, ". . . . .", "", "\n\n...\n...\n...\n...\n..."):
        found = summary(lambda _, text=dots: text, *TURNS)  # type: ignore[misc]
        assert found["valid/all"].value == found["titles/all"].value == found["distinct/all"].value == 0.0
        assert found["recall@5/all"].value == found["mrr/all"].value == 0.0


def test_a_hedge_is_no_list() -> None:
    for hedge in ("Well, it depends on your mood, but {} might do", "I could name {}, if you like such films"):
        found = summary(lambda q, text=hedge: text.format(q.answers[0]), *TURNS, max_distance=2)  # type: ignore[misc]
        assert found["valid/all"].value == found["recall@5/all"].value == 0.0


def test_a_repeated_title_counts_once() -> None:
    found = summary(lambda _: "1. Iota\n2. iota (1999)\n3. IOTA\n4. Iota\n5. Iota", *TURNS)
    assert (found["valid/all"].value, found["titles/all"].value, found["distinct/all"].value) == (1.0, 1.0, 1.0)
    found = summary(lambda q: f"Iota, Iota, {q.answers[0]}, Kappa", *TURNS)
    assert found["mrr/all"].value == pytest.approx(3 / 4 / 2)


def test_seen_items_make_room_if_asked_to() -> None:
    asked = turn("a.1", ["Eta"], ["Beta", "Delta"])
    found = summary(lambda _: "Beta, Delta, Eta, Iota, Zeta", asked)
    assert (found["recall@1/all"].value, found["mrr/all"].value) == pytest.approx((0, 1 / 3))
    found = summary(lambda _: "Beta, Delta, Eta, Iota, Zeta", asked, exclude_seen=True)
    assert (found["recall@1/all"].value, found["valid/all"].value, found["titles/all"].value) == (1.0, 1.0, 3.0)


def test_titles_far_from_every_item_can_be_left_out() -> None:
    asked = turn("a.1", ["Eta"])
    assert summary(lambda _: "Something Else, Etta", asked)["recall@1/all"].value == 0.0
    assert summary(lambda _: "Something Else, Etta", asked, max_distance=2)["recall@1/all"].value == 1.0


def test_recall_is_over_items_with_its_interval_over_dialogues() -> None:
    found = summary(lambda q: "Beta, Iota, Kappa" if q.id == "a.1" else "Theta", *TURNS)
    metric = found["recall@5/all"]
    assert metric.value == pytest.approx(1 / 4)  # one of four gold items; a mean over dialogues would be 1/6
    assert metric.contexts.keys() == {"a", "b"}
    assert sum(metric.contexts.values()) / 2 == pytest.approx(metric.value)
    assert (found["recall@5/rec"].value, found["recall@5/dis"].value) == pytest.approx((1 / 3, 0))


def test_popularity_comes_from_the_written_dialogues() -> None:
    """Zeta is recommended three times, Beta twice, Alpha Rising once."""
    asked = [turn("a.1", ["Zeta"]), turn("b.1", ["Beta"]), turn("c.1", ["Alpha Rising"]), turn("d.1", ["Kappa"])]
    found = summary(lambda _: "", *asked)
    assert found["recall@1/popularity"].value == 0.25
    assert found["recall@5/popularity"].value == 0.75
    assert found["mrr/popularity"].value == pytest.approx((1 + 1 / 2 + 1 / 3) / 4)
    asked[1] = turn("b.1", ["Beta"], ["Zeta"])
    assert summary(lambda _: "", *asked, exclude_seen=True)["recall@1/popularity"].value == 0.5


def test_the_random_baseline_hits_as_often_as_chance() -> None:
    found = summary(lambda _: "", *(turn(f"{n}.1", ["Eta"]) for n in range(400)), turns=0)
    assert found["recall@5/random"].value == pytest.approx(0.5, abs=0.1)
    assert found["recall@1/random"].value == pytest.approx(0.1, abs=0.06)


def test_k_sets_the_request_the_limit_and_the_cutoffs() -> None:
    made = task(*TURNS, k=20)
    assert made.form == (320, "\nQ:")
    (episode,) = made.episodes(dialogues(*TURNS), 0)
    assert isinstance(episode.steps[1], Ask)
    assert "Name the 20 films" in episode.steps[1].questions[0].text
    assert "recall@20/all" in summary(lambda _: "", *TURNS, k=20)
    assert "recall@5/all" not in summary(lambda _: "", *TURNS, k=4)


def test_it_writes_all_dialogues_and_asks_drawn_turns_and_all_of_the_placebo() -> None:
    asked = [turn(f"{n}.1", ["Eta"]) for n in range(9)]
    placebo = turn("p.1", ["Eta"], context="h0")
    data = replace(dialogues(*asked, placebo), held_out=(Context("h0", "never written", ()),))
    (few,), (all_,) = (task(turns=n).over(data).episodes(data, 0) for n in (4, 0))
    write, ask = few.steps
    assert write == Write(data.contexts)
    assert isinstance(ask, Ask)
    assert isinstance(all_.steps[1], Ask)
    ids = [q.id for q in ask.questions]
    assert len(ids) == 5
    assert ids[-1] == "p.1"
    assert ids[:4] == [q.id for q in all_.steps[1].questions][:4] != [t.id for t in asked[:4]]
    made = task(turns=4).over(data)
    found = made.summarise(list(answers(made, data, lambda q: "Eta" if q.context == "h0" else "")))
    assert (found["recall@1/placebo"].value, found["recall@1/all"].value) == (1.0, 0.0)


def test_sampled_items_are_seeded_and_never_gold_or_mentioned() -> None:
    def sampled() -> list[tuple[str, ...]]:
        (episode,) = task(*TURNS).episodes(dialogues(*TURNS), 0)
        assert isinstance(episode.steps[1], Ask)
        assert all(
            not {*q.answers, *mentioned(q.tags)} & set(q.distractors) and len(q.distractors) >= 7
            for q in episode.steps[1].questions
        )
        return [q.distractors for q in episode.steps[1].questions]

    assert sampled() == sampled()


@pytest.mark.parametrize(("settings", "says"), [({"k": 0}, "k of"), ({"turns": -1}, "turns of")])
def test_wrong_settings_are_refused(settings: dict[str, int], says: str) -> None:
    with pytest.raises(MembenchError, match=f"setting {says} recommendation wants"):
        task(**settings)


@pytest.fixture
def given(tiny: Path, llm: LLM, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A small run; the tiny model stays loaded, and nothing waits for the disk."""
    monkeypatch.setattr(LLM, "load", lambda *_, **__: llm)
    monkeypatch.setattr(os, "fsync", lambda _: None)
    return {
        "data": "movie-worlds", "model": str(tiny), "limit": 2, "output": tmp_path / "results",
        "task_settings": ("turns=3", "k=1"),
    }  # fmt: skip


def test_every_method_plays_it(given: dict[str, Any], llm: LLM) -> None:
    results = membench.run("bm25,ft-c,ft-s,selfparam", "recommendation", method_settings=("epochs=1",), **given)
    played = [r["recipe"]["method"] for r in results]
    assert played == ["in-context", "base", "bm25", "ft-c", "ft-s", "selfparam"]
    assert {r["recipe"]["task"] for r in results} == {"recommendation"}
    assert [r["reason"] for r in results] == [None] * 6
    recipe = results[0]["recipe"]
    assert (recipe["max_new_tokens"], recipe["stop"], recipe["items"]) == (16, "\nQ:", 206)
    assert "training dialogue" in recipe["split"]
    assert (llm.max_new_tokens, llm.stop) == (16, "\n")
    assert [p for verdict in verify(given["output"]) for p in verdict.problems] == []
    rank = [row for row in read_records(cell_folder.folder_of(given["output"], recipe)) if row["type"] == "answer"]
    assert all(1 <= row["scores"]["rank_mc"] <= 21 for row in rank)


def test_the_table_has_yardsticks_and_baselines_as_rows(given: dict[str, Any]) -> None:
    membench.run("bm25", "recommendation", **given)
    (table,) = tables(cell_folder.cells(given["output"]))
    assert [e.mark for e in table.entries[:2]] == ["floor", "reference"]
    assert {e.label for e in table.entries[2:]} == {"bm25", "popularity (no model)", "random (no model)"}
    found = rows(cell_folder.cells(given["output"]))
    assert not any(row["subset"] in ("popularity", "random") for row in found)
    (row,) = [row for row in found if row["method"] == "popularity" and row["metric"] == "recall@1"]
    assert row["score"] is not None
    assert (row["subset"], row["coverage"], row["cells"]) == ("all", None, [])
    shown = CliRunner().invoke(main, ["leaderboard", str(given["output"])])
    assert "recall@1" in shown.stdout
    assert "popularity (no model)" in shown.stdout


def test_other_tasks_play_over_dialogues_too(given: dict[str, Any]) -> None:
    given["task_settings"] = ()
    results = membench.run("bm25", "single,batch,sequential,recommendation", **given | {"task_settings": ("k=1",)})
    assert [r["reason"] for r in results] == [None] * len(results)
    assert [p for verdict in verify(given["output"]) for p in verdict.problems] == []


def test_what_does_not_fit_the_window_fails_with_its_reason(given: dict[str, Any]) -> None:
    results = membench.run("base", "recommendation", **given | {"limit": 12})
    assert [(r["recipe"]["method"], r["status"]) for r in results] == [("in-context", "failed"), ("base", "done")]
    assert "the window of" in results[0]["reason"]


def test_data_without_dialogues_is_refused(tiny: Path) -> None:
    done = CliRunner().invoke(main, ["run", "-m", "base", "-t", "recommendation", "--model", str(tiny)])
    assert done.exit_code == 2
    assert "--data movie-worlds, redial or inspired" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_movie_worlds_is_a_sequence_of_its_seed() -> None:
    source = registry.load("data", "movie-worlds")()
    large, small = source.load("7", 12, 3), source.load("7", 5, 4)
    assert small.contexts == large.contexts[:5]
    assert small.held_out == large.contexts[5:9]
    assert small.items == large.items
    assert len(set(small.items)) == len(small.items) == 206
    assert source.load("", 1, 0).name == "movie-worlds"
    with pytest.raises(MembenchError, match="whole number"):
        source.load("x", 1, 0)


def test_movie_worlds_can_be_learned_from_its_dialogues() -> None:
    data = registry.load("data", "movie-worlds")().load("", 40, 0)
    texts = {context.id: context.text for context in data.contexts}
    for asked in data.turns:
        before = mentioned(asked.tags)
        assert all(title in asked.text for title in before)
        assert all(gold in texts[asked.context] for gold in asked.answers)
        assert before[0] in texts[asked.context]
        assert not any(before[0] in text for id_, text in texts.items() if id_ != asked.context)
    discussed = [t for t in data.turns if set(t.answers) & set(mentioned(t.tags))]
    assert len(discussed) == 10
    for context in data.contexts:
        assert {pair.answer for pair in context.targets} == {
            q.answers[0] for q in context.questions if q.tags["rehearsed"] == "yes"
        }
    assert json.dumps(data.recommended)
