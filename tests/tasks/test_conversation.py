"""Conversation: its script, its clock, and planted methods whose every number is known."""

from __future__ import annotations

import ast
import inspect
import json
import re
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from membench.api import Ask, Composed, Dataset, Question, Write
from membench.cli.app import main
from membench.corpora import sessions, world_sessions
from membench.corpora.sessions import ABSTENTION, KINDS, day, forms_of
from membench.data import locomo, longmemeval, memoryagentbench
from membench.metrics.answer_scores import mentions
from membench.planning.data_checks import checked
from membench.plugins import registry
from membench.store import cell_folder
from membench.talks import measures
from membench.text.mentions import names
from tests.support.planted import Play, planted
from tests.support.seed_questions import BANKS

LIMIT = 10
CONVERSATION = registry.load("tasks", "conversation")


def talks(argument: str = "", limit: int = LIMIT) -> Dataset:
    return checked(registry.load("data", "worlds")().load_conversations(argument, limit, 0))


def asked(data: Dataset) -> dict[str, Question]:
    return {q.text: q for c in data.contexts for q in c.questions}


@pytest.fixture
def play(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    return planted(tiny, tmp_path, monkeypatch, "conversation", LIMIT)


def test_sessions_are_written_one_by_one_in_the_order_of_their_dates_and_asked_later() -> None:
    data = talks("3", 12)
    assert data.contexts == talks("3", 20).contexts[:12]
    episodes = list(CONVERSATION().episodes(data, 0))
    assert [e.name for e in episodes] == ["talk3-0", "talk3-1", "talk3-2"]
    for episode in episodes:
        *writes, ask = episode.steps
        assert isinstance(ask, Ask)
        told = [step.contexts[0].text for step in writes if isinstance(step, Write) and len(step.contexts) == 1]
        assert len(told) == len(writes) == len(world_sessions.PLACES)
        days = [datetime.strptime(text.splitlines()[0], "Conversation of %d %B %Y") for text in told]
        assert days == sorted(days)
        for question in ask.questions:
            found = re.match(r"It is (\d+ \w+ \d+)\. ", question.text)
            assert found
            assert datetime.strptime(found[1], "%d %B %Y") > days[-1]


@pytest.mark.parametrize("seed", ["", "7"])
def test_the_evidence_answers_and_no_other_session_of_the_conversation_does(seed: str) -> None:
    for context in talks(seed, 25).contexts:
        assert isinstance(context, Composed)
        others = [part.text for part in context.parts if part.text not in context.text]
        for question in context.questions:
            if question.tags["kind"] == ABSTENTION:
                assert not any("brother" in part.text for part in context.parts)
            elif "ago" not in question.text:
                assert names(context.text, question.answers[0])
                assert not any(names(text, question.answers[0]) for text in others)


def test_days_ago_count_from_the_day_of_asking() -> None:
    for text, question in asked(talks("", 25)).items():
        if "days ago" in text:
            today = re.match(r"It is (\d+ \w+ \d+)", text)
            (context,) = [c for c in talks("", 25).contexts if question in c.questions]
            then = re.search(r"Conversation of (.*)", context.text)
            assert today
            assert then
            gone = datetime.strptime(today[1], "%d %B %Y") - datetime.strptime(then[1], "%d %B %Y")
            assert question.answers == (f"{gone.days} days", str(gone.days))


def test_a_date_that_is_repeated_answers_no_count_of_days() -> None:
    for text, question in asked(talks("", 500)).items():
        if "days ago" in text:
            today = re.match(r"It is (\d+ \w+ \d+)", text)
            assert today
            assert not mentions(today[1], question.answers)


def test_no_date_comes_from_the_machine() -> None:
    """None of the modules that make dates or read them has a name for the present."""
    task = inspect.getmodule(CONVERSATION)
    for module in (sessions, world_sessions, locomo, longmemeval, memoryagentbench, measures, task):
        assert module
        tree = ast.parse(inspect.getsource(module))
        used = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)} | {
            alias.name for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom) for alias in n.names
        }
        assert not used & {"now", "utcnow", "today", "time", "localtime", "gmtime", "fromtimestamp"}, module.__name__


def test_dates_are_told_alike_whatever_the_locale() -> None:
    when = datetime(2023, 5, 8, 13, 56)
    assert day(when) == "8 May 2023, 13:56"
    assert forms_of(when) == ("8 May 2023", "May 8, 2023", "2023-05-08")


def test_a_method_that_knows_everything_scores_one(play: Play) -> None:
    known = asked(talks())
    found = play(lambda _, text: "I don't know." if known[text].tags["kind"] == ABSTENTION else known[text].answers[0])
    assert [found.get(f"contains/{kind}") for kind in KINDS] == [1, 1, 1, 1, None, None]
    assert (found["contains/all"], found["outdated/all"], found["misled/all"]) == (1, 0, 0)
    assert [found[f"abstention/{view}"] for view in ("all", "right", "false")] == [1, 1, 0]
    assert found["control:always abstains:abstention/all"] == found["control:never abstains:abstention/all"] == 0.5


def test_one_that_knows_nothing_and_one_that_is_out_of_date(play: Play) -> None:
    found = play(lambda *_: "I don't know.")
    assert (found["contains/all"], found["abstention/all"], found["abstention/false"]) == (0, 0.5, 1)
    known = asked(talks())
    found = play(lambda _, text: known[text].tags.get("old") or known[text].tags.get("leak", ""))
    assert (found["outdated/all"], found["misled/all"], found["contains/update"]) == (1, 1, 0)
    assert (found["abstention/all"], found["abstention/right"]) == (0.5, 0)
    found = play(lambda _, text: f"{known[text].answers[0]}, not {known[text].tags.get('old', '?')}")
    assert (found["outdated/all"], found["contains/update"]) == (0, 1)


def test_its_tables_have_yardsticks_and_every_kind(tiny: Path, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    command = ["run", "-m", "bm25", "-t", "conversation", "--model", str(tiny), "-L", "5", "-o", str(folder)]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.stderr
    table = CliRunner().invoke(main, ["leaderboard", str(folder), "-t", "conversation", "--columns", "all"]).stdout
    heads = "".join(line for line in table.splitlines() if line.startswith("| method"))
    assert all(head in heads for head in ("one session", "several sessions", "temporal", "outdated", "abstention"))
    assert all(row in table for row in ("in-context (reference)", "base (floor)", "always abstains"))
    refused = CliRunner().invoke(main, [*command, "--data", "movie-worlds"])
    assert refused.exit_code == 2
    assert "no dated conversations: --data worlds" in refused.stderr


@pytest.mark.parametrize("method", ["selfparam", "ft-s", "lora-bank", "cartridge"])
def test_small_talk_teaches_trained_memories_nothing(method: str, tiny: Path, tmp_path: Path) -> None:
    """Two of a conversation's eight sessions have no fact, so no target sentence: the weights stay what they were."""
    epochs = "epochs=1" if method != "lora-bank" else "of=selfparam epochs=1"
    command = [
        "run",
        "-m",
        method,
        "-t",
        "conversation",
        "--model",
        str(tiny),
        "-L",
        "5",
        "-o",
        str(tmp_path / "results"),
    ]
    done = CliRunner().invoke(main, [*command, "-M", epochs])
    assert done.exit_code == 0, done.stderr
    (cell,) = (c for c in cell_folder.cells(tmp_path / "results") if c.recipe["method"] == method)
    writes = [record for record in cell_folder.records_of(cell) if record["type"] == "write"]
    trained = [record["tokens"].get("reader", {}).get("trained", 0) for record in writes]
    assert (len(trained), trained.count(0)) == (8, 2)
    if method in ("selfparam", "ft-s"):
        memories = [record["memory"] for record in writes]
        assert all((b == a) == (n == 0) for a, b, n in zip(memories, memories[1:], trained[1:], strict=False))


def test_the_older_of_two_statements_without_target_sentences_is_refused(tiny: Path, tmp_path: Path) -> None:
    """Nothing is asked about it, and it is no small talk: a conflict with what was never learned is none."""
    old = {name: part for name, part in BANKS["conflict"]["old"].items() if name != "targets"}
    data = tmp_path / "banks.jsonl"
    data.write_text(json.dumps({**BANKS, "conflict": {**BANKS["conflict"], "old": old}}) + "\n")
    command = ["run", "-m", "selfparam", "-t", "contamination", "--data", f"jsonl:{data}", "--model", str(tiny)]
    done = CliRunner().invoke(main, [*command, "-M", "epochs=1", "--no-yardsticks", "-o", str(tmp_path / "results")])
    assert done.exit_code == 2
    assert "has no pairs about the passage 'Survey A" in done.stderr


def test_a_text_that_is_asked_about_and_has_no_target_sentences_is_refused(tiny: Path, tmp_path: Path) -> None:
    """Where another text of the data has some, too: what is asked for must not be left out of training unsaid."""
    asked_about = {"context": "The inn of Oxley is red.", "questions": [{"question": "Which colour?", "answer": "red"}]}
    other = {
        **asked_about,
        "context": "The inn of Vellmar is blue.",
        "targets": [{"question": "Blue?", "answer": "yes"}],
    }
    data = tmp_path / "inns.jsonl"
    data.write_text("".join(json.dumps({"id": str(k), **line}) + "\n" for k, line in enumerate((asked_about, other))))
    command = ["run", "-m", "selfparam", "-t", "single", "--data", f"jsonl:{data}", "--model", str(tiny)]
    done = CliRunner().invoke(main, [*command, "-M", "epochs=1", "-L", "2", "-o", str(tmp_path / "results")])
    assert done.exit_code == 2
    assert "has no pairs about the passage 'The inn of Oxley is red.'" in done.stderr
