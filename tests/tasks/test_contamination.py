"""The task `contamination`, with planted methods whose every number is known beforehand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from membench.analysis.verify import verify
from membench.api import Answer, Ask, Dataset, Drift, Question, Task, Write
from membench.corpora.probes import KINDS, NEAR, conflict_questions, paired, script
from membench.errors import MembenchError
from membench.metrics.abstention import PHRASE
from membench.metrics.answer_scores import leak_margin, mentions
from membench.metrics.conflicts import summarise_conflicts
from membench.metrics.contamination import summarise_probes
from membench.planning.request import Request
from membench.plugins import registry
from membench.running import runner
from membench.store.cell_folder import cells
from membench.tables.leaderboard import tables
from membench.tables.render import render
from membench.values import NOT_STATED
from tests.support.planted import Play, planted
from tests.support.seed_questions import write

LIMIT = 3


def probed(limit: int = LIMIT) -> Dataset:
    data: Dataset = registry.load("data", "worlds")().load_probed("", limit, 0)
    return data


def asked(data: Dataset) -> dict[str, Question]:
    """Every question that the task asks, by its text; the same text about a conflict has that one's answer."""
    return asked_around(data) | {q.text: q for old in data.conflicts for q in conflict_questions(old)}


def asked_around(data: Dataset) -> dict[str, Question]:
    """What is asked about single contexts, by its text."""
    return {q.text: q for k, c in enumerate(data.contexts) for q in script(c, k, 4)}


@pytest.fixture
def play(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Plays a planted method and returns its summary's values."""
    return planted(tiny, tmp_path, monkeypatch, "contamination", LIMIT, "drift=0")


def test_a_method_that_always_leaks_scores_one(play: Play) -> None:
    found = play(lambda texts, _: " ".join(texts) or "nothing")
    assert [found[f"leak/{kind}"] for kind in NEAR] == [1, 1, 1]
    assert [found[f"leak_base/{kind}"] for kind in NEAR] == [0, 0, 0]
    assert (found["efficacy/all"], found["efficacy_base/all"]) == (1, 0)
    assert (found["unchanged/near"], found["unchanged/unrelated"]) == (0, 0)
    assert (found["conflict/both"], found["conflict/new"], found["conflict_base/neither"]) == (1, 0, 1)
    assert found["attribution/all"] == 0


def test_a_leak_that_was_there_before_is_no_leak(play: Play) -> None:
    every = " ".join(answer for q in asked(probed()).values() for answer in q.answers)
    found = play(lambda *_: every)
    assert [found[f"leak/{kind}"] for kind in NEAR] == [0, 0, 0]
    assert [found[f"leak_base/{kind}"] for kind in NEAR] == [1, 1, 1]


def test_a_method_that_answers_its_facts_alone_leaks_nothing(play: Play) -> None:
    known = asked_around(probed())
    kinds = ("test", "paraphrase", "reversed")

    def replies(texts: tuple[str, ...], text: str) -> str:
        question = known.get(text)
        return question.answers[0] if texts and question and question.tags["kind"] in kinds else PHRASE

    found = play(replies)
    assert (found["efficacy/all"], found["contains/paraphrase"], found["contains/reversed"]) == (1, 1, 1)
    assert [found[f"leak/{kind}"] for kind in NEAR] == [0, 0, 0]
    assert (found["abstention/all"], found["abstention/right"], found["abstention/false"]) == (1, 1, 0)
    assert found["abstention_base/all"] == 0.5
    assert (found["unchanged/near"], found["unchanged/unrelated"]) == (1, 1)


def test_always_and_never_abstaining_are_no_skill(play: Play) -> None:
    found = play(lambda *_: "I'm not sure.")
    assert (found["abstention/all"], found["abstention/right"], found["abstention/false"]) == (0.5, 1, 1)
    assert found["control:always abstains:abstention/all"] == found["abstention/all"]
    assert found["control:always abstains:abstention/right"] == 1
    assert found["control:never abstains:abstention/all"] == 0.5
    assert found["control:never abstains:abstention/right"] == 0


def test_damage_and_repair_are_told_apart(play: Play) -> None:
    known = asked(probed())

    def breaks(texts: tuple[str, ...], text: str) -> str:
        return "" if texts else known[text].answers[0]

    found = play(breaks)
    assert (found["damage/all"], found["known_base/all"]) == (1, 1)
    assert "repair/all" not in found
    found = play(lambda texts, text: known[text].answers[0] if texts else "")
    assert (found["repair/all"], found["known_base/all"]) == (1, 0)
    assert "damage/all" not in found


def test_recency_against_date_and_attribution(play: Play) -> None:
    known = asked(probed())
    new_texts = {old.revision.text for old in probed().conflicts if old.revision}

    def last_wins(texts: tuple[str, ...], text: str) -> str:
        question = known[text]
        if not texts or question.tags["kind"] != "conflict":
            return "?"
        return question.answers[0] if texts[-1] in new_texts else question.tags["old"]

    found = play(last_wins)
    assert (found["conflict/new"], found["conflict_swapped/old"], found["recency/all"]) == (1, 1, 1)
    assert (found["consistency/all"], found["attribution/all"]) == (1, 0)
    found = play(lambda texts, text: known[text].answers[0] if texts else "?")
    assert (found["conflict/new"], found["conflict_swapped/new"], found["recency/all"]) == (1, 1, 0)
    assert (found["attribution/old"], found["attribution/new"]) == (1, 1)


def answer(question: str, text: str, written: int, kind: str, gold: tuple[str, ...], **more: Any) -> Answer:
    tags = {"kind": kind, **more.pop("tags", {})}
    context = more.pop("context", "c")
    return Answer(
        more.pop("episode", "c/conflict"), 0, written, 1, question, context, tags, "?", gold, text,
        {"contains": 0.0, **more.pop("scores", {})},
    )  # fmt: skip


def test_conflicts_are_graded_by_what_the_model_believed_before() -> None:
    rows = []
    for k in range(6):
        scores = {"margin": -float(k)}  # the higher k, the likelier the old value
        tags = {"old": "38 percent"}
        rows.append(answer(f"q{k}", "", 0, "conflict", ("42 percent", "42"), tags=tags, scores=scores, context=f"c{k}"))
        text = "42" if k < 2 else "38 %, later 42 %" if k < 4 else "38 percent of them"
        rows.append(
            answer(f"q{k}", text, 2, "conflict", ("42 percent", "42"), tags=tags, scores=scores, context=f"c{k}")
        )
    found = {name: metric.value for name, metric in summarise_conflicts(rows).items()}
    assert [found[f"conflict/{c}"] for c in ("new", "old", "both", "neither")] == pytest.approx([1 / 3] * 3 + [0])
    assert [found[f"conflict/new-{t}"] for t in ("weak", "middle", "strong")] == [1, 0, 0]
    assert found["conflict_base/neither"] == 1


def test_an_edit_conflicts_with_what_the_model_knew() -> None:
    tags = {"old": "French"}
    rows = [
        answer("q", "French", 0, "test", ("English",), tags=tags),
        answer("q", "English", 1, "test", ("English",), tags=tags),
    ]
    found = summarise_conflicts(rows)
    assert (found["prior_conflict/new"].value, found["prior_conflict_base/old"].value) == (1, 1)
    assert "conflict/new" not in found


def test_the_likelihood_of_a_leak_is_its_shift_against_values_of_the_same_type() -> None:
    target = Question("t", "?", ("38 percent",), "c", ("42 percent", "51 percent"))
    probe = Question("p", "?", NOT_STATED, "c", (), {"kind": "near_entity", "of": "t"})
    made = paired(probe, {"t": target})
    assert made.distractors == ("38 percent", "42 percent", "51 percent")
    assert leak_margin(made, (-9.0, -1.0, -3.0, -2.0)) == {"leak_margin": 1.0}
    own = paired(Question("p", "?", ("42 percent",), "c", (), {"kind": "pattern", "of": "t"}), {"t": target})
    assert own.distractors == ("38 percent", "51 percent")
    assert leak_margin(own, (-0.5, -1.0, -3.0)) == {"leak_margin": -0.5}
    assert leak_margin(target, (-1.0, -2.0)) == {}
    tags = {"of": "t"}
    rows = [answer("t", "38", 0, "test", ("38 percent",)), answer("t", "38", 1, "test", ("38 percent",))]
    rows += [
        answer("p", "no", k, "near_entity", NOT_STATED, tags=tags, scores={"leak_margin": m})
        for k, m in ((0, -2.0), (1, 0.5))
    ]
    assert summarise_probes(rows)["leak_margin/near_entity"].value == pytest.approx(2.5)


def test_the_neighbourhood_score_is_which_of_two_likelihoods_is_higher() -> None:
    """Planted likelihoods (true, written, another value), of which the records keep three other numbers."""
    planted = {"a": (-1.0, -2.0, -0.5), "b": (-2.0, -1.0, -0.5), "c": (-1.0, -2.0, -3.0), "d": (-2.0, -1.0, -3.0)}
    rows = []
    for name, (true, written, other) in planted.items():
        probe = Question(name, "?", ("French",), "c", ("English", "Dutch"), {"kind": "near_entity", "leak": "English"})
        after = {"margin": true - max(written, other)} | leak_margin(probe, (true, written, other))
        before = {"margin": 1.0, "leak_margin": -1.0}
        for k, scores in enumerate((before, after)):
            rows.append(answer(name, "no", k, "near_entity", ("French",), tags={"of": "t"}, scores=scores))
    rows += [answer("t", "no", k, "test", ("English",)) for k in (0, 1)]
    found = summarise_probes(rows)
    assert (found["ns/all"].value, found["ns_base/all"].value) == (0.5, 1)
    unstated = [r for r in rows if r.question == "t"]
    scores = {"margin": 1.0, "leak_margin": -1.0}
    unstated += [answer("u", "no", k, "near_entity", NOT_STATED, tags={"of": "t"}, scores=scores) for k in (0, 1)]
    assert "ns/all" not in summarise_probes(unstated)


def test_mentions_stand_on_token_boundaries_and_not_inside_the_rival() -> None:
    assert mentions("It is 38 % of them.", ["38 percent"])
    assert not mentions("It is 380.", ["38 percent"])
    assert not mentions("In New York", ["York"], ["New York"])
    assert mentions("In New York and York", ["York"], ["New York"])


def test_the_script_asks_before_and_after_and_writes_conflicts_both_ways() -> None:
    data = probed()
    task: Task = registry.load("tasks", "contamination")(drift=2)
    episodes = list(task.episodes(data, 0))
    first = episodes[0].steps
    assert [type(s) for s in first] == [Ask, Write, Ask]
    assert first[0] == first[2]
    assert [type(s) for s in episodes[1].steps] == [type(s) for s in episodes[2].steps] == [Ask, Write, Ask, Drift]
    assert isinstance(first[0], Ask)
    assert {q.tags["kind"] for q in first[0].questions} == {"test", *KINDS}
    assert {q.tags["of"] for q in first[0].questions if "of" in q.tags} <= {q.id for q in first[0].questions}
    forward, swapped = episodes[3:5]
    assert [s.contexts for s in forward.steps if isinstance(s, Write)] == [
        s.contexts for s in reversed(swapped.steps) if isinstance(s, Write)
    ]
    assert isinstance(forward.steps[-1], Ask)
    about_one = ["conflict", "conflict", "source_old", "source_new"]
    assert [q.tags["kind"] for q in forward.steps[-1].questions] == about_one * 2


def test_a_probe_without_its_pair_is_refused() -> None:
    tests = {"t": Question("t", "?", ("a",), "c")}
    with pytest.raises(MembenchError, match=r"probe 'p' of context 'c': its pair 'x' is no test question there"):
        paired(Question("p", "?", ("a",), "c", (), {"kind": "pattern", "of": "x"}), tests)


@pytest.mark.parametrize("setting", ["questions", "drift", "drift_items"])
def test_negative_settings_are_refused(setting: str) -> None:
    with pytest.raises(MembenchError, match=f"setting {setting} of contamination"):
        registry.load("tasks", "contamination")(**{setting: -1})


def test_the_risk_card_has_a_row_a_method_and_the_controls(tiny: Path, tmp_path: Path) -> None:
    """Floor and reference play the task themselves, and every stored number comes out of the records."""
    data = f"jsonl:{write(tmp_path / 'seeds.jsonl')}"
    request = Request(("bm25",), ("contamination",), (data,), str(tiny), output=tmp_path)
    results = runner.run(request, Console(quiet=True))
    assert {(r["recipe"]["method"], r["status"]) for r in results} == {
        ("base", "done"), ("in-context", "done"), ("bm25", "done"),
    }  # fmt: skip
    assert all(v.ok for v in verify(tmp_path))
    (table,) = tables(cells(tmp_path), task="contamination")
    assert [e.label for e in table.entries][2:4] == ["always abstains (control)", "never abstains (control)"]
    titled = [replace(cell, result={**cell.result, "label": "a name"}) for cell in cells(tmp_path)]
    (other,) = tables(titled, task="contamination")
    assert [e.label for e in other.entries][2:4] == ["always abstains (control)", "never abstains (control)"]
    by_method = {e.method: e for e in table.entries}
    assert by_method["base"].value("drift_kl") == 0
    assert by_method["base"].value("drift_ppl") == 1
    assert by_method["base"].value("leak/near_entity") == 0
    assert by_method["bm25"].value("drift_kl") == by_method["in-context"].value("drift_kl") > 0  # type: ignore[operator]
    text = render([table], "md")
    card = text.partition("risk card")[2].partition("\n\nmemory")[0]
    for head in ("efficacy", "leak entity", "leak attribute", "leak pattern", "conflict both", "abstention", "flips"):
        assert f" {head.replace('_', chr(92) + '_')} |" in card
    assert "drift\\_ppl" in card
    more = text.partition("contamination, more")[2].partition("\n\nmemory")[0]
    for head in (
        "margin entity",
        "unchanged near",
        "swapped new",
        "recency",
        "consistency",
        "attribution",
        "suite acc",
    ):
        assert f" {head} |" in more
    assert "control:" not in render([table], "json")
    facts = by_method["bm25"].summaries[0]["efficacy/all"]["contexts"]
    written = results[0]["counts"]["contexts"]
    assert f" {len(facts)} contexts, {written - len(facts)} texts that disagree, " in table.title
    assert f" {by_method['bm25'].questions} answers before and after writing" in table.title
    assert "never abstains (control)" in card
