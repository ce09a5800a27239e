"""Composition: its script, planted methods whose every number is known, and readers of files in the published forms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from membench.api import Ask, Composed, Dataset, Question, Write
from membench.cli.app import main
from membench.corpora.chains import BROKEN, HOP, LINKED, hops_of
from membench.errors import MembenchError
from membench.planning.data_checks import checked
from membench.playing.episode_state import positions
from membench.plugins import registry
from membench.text.mentions import names
from tests.support.planted import Play, planted

LIMIT = 4
COMPOSITION = registry.load("tasks", "composition")


def chains(argument: str = "", limit: int = LIMIT, source: str = "worlds") -> Dataset:
    return checked(registry.load("data", source)().load_chains(argument, limit, 0))


def asked(data: Dataset) -> dict[str, Question]:
    return {q.text: q for c in data.contexts for q in c.questions}


@pytest.fixture
def play(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    return planted(tiny, tmp_path, monkeypatch, "composition", LIMIT)


def scores(found: dict[str, float]) -> list[float]:
    """Needing both, composed, both hops, false bridge, by link, other chain."""
    measures = ("contains", "composed", "both_hops", "broken", "linked", "distracted")
    return [found.get(f"{name}/all", -1.0) for name in measures]


@pytest.mark.parametrize("seed", ["", "3", "11"])
def test_no_text_answers_alone_and_nothing_links_what_no_text_knows(seed: str) -> None:
    data = chains(seed, 16)
    assert data.contexts == chains(seed, 20).contexts[:16]
    texts = [part.text for c in data.contexts for part in c.parts]  # type: ignore[attr-defined]
    for context in data.contexts:
        assert isinstance(context, Composed)
        first, second = context.parts
        bearer, thing = context.questions[0].answers[0], context.questions[0].text.split("the ", 1)[1]
        assert names(first.text, bearer)
        assert names(second.text, bearer)
        linked = [q for q in context.questions if q.tags["kind"] == LINKED]
        assert len(linked) == 2
        for question in linked:
            assert not names(question.text, bearer)
            assert names(second.text, question.answers[0])
            assert not names(first.text, question.answers[0])
            assert any(names(text, question.tags["rival"]) for text in texts)
            assert not names(second.text, thing.split()[0])
        for question in (q for q in context.questions if q.tags["kind"] == BROKEN):
            stranger = next(w for w in question.text.split()[1:] if w[0].isupper() and w not in context.text)
            assert not any(stranger in text for text in texts)


def test_second_texts_follow_all_first_ones_in_one_write_or_in_writes_of_their_own() -> None:
    data = chains()
    (joint,), (apart,) = (list(COMPOSITION(apart=how).episodes(data, 0)) for how in ("texts", "writes"))
    order = [f"{c.id}-{end}" for end in ("first", "second") for c in data.contexts]
    assert [[c.id for c in step.contexts] for step in joint.steps[:-1]] == [order]
    assert [[c.id for c in step.contexts] for step in apart.steps[:-1]] == [[id_] for id_ in order]
    assert isinstance(apart.steps[-1], Ask)
    assert apart.steps[-1] == joint.steps[-1]
    found = positions(apart, len(order))
    assert [found[c.id] for c in data.contexts] == [LIMIT + 1 + k for k in range(LIMIT)]


def test_a_method_that_knows_everything_scores_one_and_crosses_no_false_bridge(play: Play) -> None:
    known = asked(chains())
    assert scores(play(lambda _, text: known[text].answers[0])) == [1, 1, 1, 0, 1, 0]


def test_a_method_that_knows_nothing_scores_nothing(play: Play) -> None:
    assert scores(play(lambda *_: "I don't know.")) == [0, -1, 0, 0, 0, 0]


def test_a_method_that_knows_each_hop_and_joins_none_is_told_from_one_that_guesses(play: Play) -> None:
    known = asked(chains())
    alone = play(lambda _, text: known[text].answers[0] if known[text].tags["kind"] == HOP else "")
    assert scores(alone) == [0, 0, 1, 0, 0, 0]
    guess = play(lambda _, text: known[text].tags.get("leak", known[text].answers[0]))
    assert scores(guess) == [1, 1, 1, 1, 0, 0]
    mixed = play(lambda _, text: known[text].tags.get("rival", ""))
    assert scores(mixed) == [0, -1, 0, 0, 0, 1]


def test_composed_is_judged_where_both_hops_are_answered(play: Play) -> None:
    data = chains()
    known = asked(data)
    lost = {hops_of(q.tags)[1] for q in known.values() if q.context == data.contexts[0].id and q.tags["kind"] == LINKED}
    found = play(lambda _, text: "" if known[text].id in lost else known[text].answers[0])
    assert scores(found)[:3] == [1, 1, (LIMIT - 1) / LIMIT]
    wrong = {q.id for q in known.values() if q.context == data.contexts[0].id and q.tags["kind"] == LINKED}
    found = play(lambda _, text: "" if known[text].id in wrong | lost else known[text].answers[0])
    assert scores(found)[:3] == [(LIMIT - 1) / LIMIT, 1, (LIMIT - 1) / LIMIT]


def test_its_tables_have_yardsticks_and_controls(tiny: Path, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    command = ["run", "-m", "bm25", "-t", "composition", "--model", str(tiny), "-L", "2", "-o", str(folder)]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.stderr
    table = CliRunner().invoke(main, ["leaderboard", str(folder), "-t", "composition", "--columns", "all"]).stdout
    heads = "".join(line for line in table.splitlines() if line.startswith("| method"))
    assert all(head in heads for head in ("both hops", "first hop", "last hop", "by link", "false bridge"))
    assert "in-context (reference)" in table
    assert "base (floor)" in table
    refused = CliRunner().invoke(main, [*command, "--data", "movie-worlds"])
    assert refused.exit_code == 2
    assert "no questions over several texts: --data worlds" in refused.stderr


def hotpot(number: int, **more: Any) -> dict[str, Any]:
    """A record in the published form, the paragraph with the answer before the other one."""
    context = [[f"Town {number}", [f"Town {number} lies on the Elb.", f" It has a red door{number}."]],
               ["Noise", ["Nothing."]], [f"Ann {number}", [f"Ann {number} was born in Town {number}."]]]  # fmt: skip
    facts = [[f"Town {number}", 1], [f"Ann {number}", 0]]
    return {
        "_id": f"h{number}", "question": f"What has the town of Ann {number}?", "answer": f"red door{number}",
        "type": "bridge", "level": "hard", "supporting_facts": facts, "context": context, **more,
    }  # fmt: skip


def side_by_side(record: dict[str, Any]) -> dict[str, Any]:
    """The same as `datasets` has it."""
    facts, context = (list(zip(*record[key], strict=True)) for key in ("supporting_facts", "context"))
    return {
        **{k: v for k, v in record.items() if k != "_id"}, "id": record["_id"],
        "supporting_facts": {"title": list(facts[0]), "sent_id": list(facts[1])},
        "context": {"title": list(context[0]), "sentences": list(context[1])},
    }  # fmt: skip


def musique(number: int, **more: Any) -> dict[str, Any]:
    paragraphs = [
        {"idx": 0, "title": "Noise", "paragraph_text": "Nothing.", "is_supporting": False},
        {"idx": 1, "title": "Elb", "paragraph_text": f"It flows by Oak{number}.", "is_supporting": True},
        {"idx": 2, "title": "Green", "paragraph_text": f"By Ann{number} at the Elb.", "is_supporting": True},
    ]
    steps = [
        {"id": 1, "question": "Green >> performer", "answer": f"Ann{number}", "paragraph_support_idx": 2},
        {"id": 2, "question": "Where does #1 live?", "answer": f"Oak{number}", "paragraph_support_idx": 1},
    ]
    return {
        "id": f"2hop__{number}", "paragraphs": paragraphs, "question": f"Where lives the performer of Green {number}?",
        "question_decomposition": steps, "answer": f"Oak{number}", "answer_aliases": [f"Oak {number}"],
        "answerable": True, **more,
    }  # fmt: skip


def written(path: Path, records: list[Any], lines: bool = False) -> str:
    path.write_text("\n".join(map(json.dumps, records)) if lines else json.dumps(records))
    return str(path)


@pytest.mark.parametrize("form", [dict, side_by_side])
def test_hotpotqa_is_read_in_both_forms(tmp_path: Path, form: Any) -> None:
    twin = hotpot(1, _id="twin", question="Again?")  # of the same paragraphs
    rows = [form(row) for row in (hotpot(0, type="comparison"), hotpot(1), twin, hotpot(2))]
    data = chains(written(tmp_path / "dev.json", rows), 9, "hotpotqa")
    assert [c.id for c in data.contexts] == ["h1", "twin", "h2"]
    first = data.contexts[0]
    assert isinstance(first, Composed)
    assert first.parts[0].text == "Ann 1: Ann 1 was born in Town 1."
    assert first.parts[1].text == "Town 1: Town 1 lies on the Elb. It has a red door1."
    assert first.questions[0].tags["rival"] == "red door2"
    (episode,) = COMPOSITION().episodes(data, 0)
    assert [len(step.contexts) for step in episode.steps if isinstance(step, Write)] == [4], "equal texts once"
    assert {c: p for c, p in positions(episode, 1).items() if "text" not in c} == {"h1": 3, "twin": 3, "h2": 4}


def test_musique_has_its_hops_worded_as_questions(tmp_path: Path) -> None:
    rows = [musique(0, answerable=False), musique(1), musique(2)]
    data = chains(written(tmp_path / "dev.jsonl", rows, lines=True), 9, "musique")
    assert [c.id for c in data.contexts] == ["2hop__1", "2hop__2"]
    linked, first, last = data.contexts[0].questions
    assert hops_of(linked.tags) == (first.id, last.id)
    assert (first.text, first.answers) == ("What is the performer of Green?", ("Ann1",))
    assert (last.text, last.answers) == ("Where does Ann1 live?", ("Oak1", "Oak 1"))
    assert data.contexts[0].text == "Green: By Ann1 at the Elb.\n\nElb: It flows by Oak1."


BROKEN_RECORDS = [
    ("hotpotqa", hotpot(1, supporting_facts=[["Town 1", 0]]), "'supporting_facts' name fewer than two titles"),
    ("hotpotqa", hotpot(1, supporting_facts=[["Town 1", 0], ["Gone", 0]]), "no paragraph has the title 'Gone'"),
    ("hotpotqa", hotpot(1, context="text"), "'context' must be a list of [title, sentences]"),
    ("hotpotqa", hotpot(1, answer=3), "'answer' must be a text"),
    ("hotpotqa", hotpot(1, type="comparison"), "no question takes several texts"),
    ("hotpotqa", "odd", "wants an object"),
    ("musique", musique(1, question_decomposition=[{"question": "#1?", "answer": "x", "paragraph_support_idx": 1}] * 2),
     "#1 in 'question' names no earlier hop"),
    ("musique", musique(1, question_decomposition=[{"question": "a", "answer": "x", "paragraph_support_idx": [7]}]),
     "'paragraph_support_idx' is [7]"),
    ("musique", musique(1, answer_aliases="Oak"), "'answer_aliases' must be a list of texts"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "record", "message"), BROKEN_RECORDS)
def test_broken_records_are_refused_in_one_line(tmp_path: Path, source: str, record: Any, message: str) -> None:
    path = written(tmp_path / "broken.json", [record])
    with pytest.raises(MembenchError, match=r"broken\.json") as caught:
        chains(path, 9, source)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
