"""A judge's verdicts: columns with its calibration, kept replies, and that scores stay as they were."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from membench.cli.app import main
from membench.served.kept_answers import KeptAnswers
from membench.store.cell_folder import cells
from membench.talks.judge import judge_of
from membench.talks.measures import summarise_conversation
from membench.values import Answer
from tests.support.chat_server import ChatServer, completion, refusal, serving


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with serving() as found:
        yield found


def call(*typed: object) -> Result:
    return CliRunner().invoke(main, [str(part) for part in typed])


@pytest.fixture(scope="module")
def played(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("judged") / "results"
    done = call("run", "-m", "bm25", "-t", "conversation", "--model", tiny, "-L", 1, "-o", folder)
    assert done.exit_code == 0, done.stderr
    return folder


def asked(body: dict[str, Any]) -> str:
    return str(body["messages"][-1]["content"])


def strict(body: dict[str, Any]) -> Any:
    """Yes to what has the right answer, and to what says that it does not know."""
    lines = dict(line.split(": ", 1) for line in asked(body).splitlines() if ": " in line)
    right, answer = lines.get("Correct answers", "").split(" / "), lines["Answer to check"]
    yes = any(one in answer for one in right) if right != [""] else "don't know" in answer
    return completion("Yes." if yes else "**No**, it is not.")


def lenient(body: dict[str, Any]) -> Any:
    return completion("yes")


def summaries(folder: Path) -> dict[str, dict[str, float]]:
    return {
        c.recipe["method"]: {name: metric["value"] for name, metric in c.result["summary"].items()}
        for c in cells(folder)
        if c.recipe["task"] == "conversation"
    }


def test_verdicts_are_columns_with_their_calibration_and_change_no_score(
    tiny: Path, played: Path, server: ChatServer
) -> None:
    before = summaries(played)["bm25"]
    server.answer = strict
    judge = ("--judge", "openai:strict", "--base-url", server.url)
    done = call("score", "--all", "-o", played, *judge)
    assert done.exit_code == 0, done.stderr
    count = len(server.requests)
    assert f"judge strict: asked {count} times" in done.stderr
    found = summaries(played)["bm25"]
    assert {name: found[name] for name in before} == before
    assert (found["judge_agrees/all"], found["judge_right/all"]) == (1, 1)
    assert (found["judge_vague/all"], found["judge_wrong/all"]) == (0, 0)
    assert found["judged/all"] == found["contains/all"]
    assert call("verify", played).exit_code == 0
    (cell,) = [c for c in cells(played) if c.recipe["method"] == "bm25"]
    assert cell.result["judge"]["model"] == "strict"
    assert cell.result["judge"]["unread"] == 0
    assert "judge" not in json.dumps(cell.recipe)
    table = call("leaderboard", played, "-t", "conversation", "--columns", "all").stdout
    heads = "".join(line for line in table.splitlines() if line.startswith("| method"))
    assert all(head in heads for head in ("judged", "judge agrees", "planted vague"))

    run = ("run", "-m", "bm25", "--model", tiny, "-L", 1, "-o", played, *judge)
    again = call(*run, "-t", "conversation", "--json")
    assert again.exit_code == 0, again.stderr
    assert "judge_agrees" in again.stdout
    assert len(server.requests) == count, "replies are kept"
    refused = call(*run, "-t", "single")
    assert refused.exit_code == 2
    assert "--judge is for the task conversation" in refused.stderr

    server.answer = lenient
    assert call("score", "--all", "-o", played, "--judge", "openai:lenient", *judge[2:]).exit_code == 0
    found = summaries(played)["bm25"]
    assert (found["judge_vague/all"], found["judge_wrong/all"]) == (1, 1), "another judge takes its place"
    assert found["judge_agrees/all"] == pytest.approx(1 / 3)
    server.answer = lambda _: completion("perhaps")
    assert call("score", "--all", "-o", played, "--judge", "openai:undecided", *judge[2:]).exit_code == 0
    (cell,) = [c for c in cells(played) if c.recipe["method"] == "bm25"]
    assert cell.result["judge"]["unread"] > 0
    assert not any(name.startswith("judge") for name in cell.result["summary"])


def record(kind: str, answer: str, *wrong: str) -> dict[str, Any]:
    gold = ["not stated"] if kind == "abstention" else ["tea"]
    return {"tags": {"kind": kind}, "text": "What?", "gold": gold, "answer": answer, "distractors": list(wrong)}


def test_a_judge_is_asked_of_each_answer_and_of_planted_ones(server: ChatServer) -> None:
    server.answer = strict
    judge = judge_of("openai:m", server.url, KeptAnswers(None))
    rows = [record("update", "It was tea", "ice"), record("update", ""), record("abstention", "Bob", "Ann")]
    right, empty, nobody = judge.verdicts(rows)
    assert right == {"judged": 1, "judge_right": 1, "judge_vague": 0, "judge_wrong": 0}
    assert empty == {"judged": 0, "judge_right": 1, "judge_vague": 0}, "no wrong answer is known"
    assert nobody == {"judged": 0, "judge_right": 1, "judge_vague": 0, "judge_wrong": 0}
    said = [asked(body) for body in server.requests]
    assert any("Nothing that was said answers this" in text and "It is Ann." in text for text in said)
    several = {**record("update", "19 days", "8 days"), "gold": ["18 days", "19 days"]}
    assert judge.verdicts([several])[0]["judged"] == 1
    server.answer = lambda _: completion("perhaps")
    assert judge.verdicts(rows[:1]) == [{}]
    assert judge.unread == 4


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        ("Yes!", 1), ("yes: it does.", 1), ("'Yes'", 1), ("Answer: yes", 1), ("The answer is **No**.", 0), ("no;", 0),
        ("Nobody knows", None), ("yesterday", None), ("", None), ("I say yes", None),
        ("Answer (yes or no): no", None), ("Yes/No: No", None), ("**Yes** / **No**: No", None),
        ("yes|no: no", None), ("yes, or no?", None), ("Yes and no", None), ("My verdict: no", 0),
        ("No, and no mention of tea is made.", 0), ("Yes, and no other possibility is offered.", 1), ("No, no.", 0),
        ("yes, no: no", None), ("yes-no: no", None), ("yes/maybe/no", None), ("Yes. No tea is named.", 1),
        ("<answer>yes</answer>", 1), ("yes</s>", 1), ("Yes<|im_end|>", 1), ("No [/INST]", 0), ("Yes/Correct", 1),
        ("Yes\n\n| a |", 1), ("yes or no answer: yes", None), ("Yes. No.", None), ("yes and no, it depends", None),
    ],
)  # fmt: skip
def test_what_a_judge_says_is_read_from_its_first_word(reply: str, verdict: float | None, server: ChatServer) -> None:
    server.answer = lambda _: completion(reply)
    judge = judge_of("openai:m", server.url, KeptAnswers(None))
    assert judge.verdicts([record("update", "tea")])[0].get("judged") == verdict
    assert judge.unread == (3 if verdict is None else 0)


def test_a_planted_answer_whose_verdict_cannot_be_read_is_no_agreement() -> None:
    scores = {"contains": 1.0, "f1": 1.0, "judged": 1.0, "judge_right": 1.0}
    said = Answer("e", 1, 1, 1, "q", "c", {"kind": "update"}, "What?", ("tea",), "tea", scores)
    assert summarise_conversation([said])["judge_agrees/all"].value == 0.5


def test_what_no_judge_can_do_is_refused_in_one_line(
    played: Path, tmp_path: Path, server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answer = lambda _: refusal("no such model", 404)
    refused = call("score", "--all", "-o", played, "--judge", "openai:gone", "--base-url", server.url)
    assert refused.exit_code == 2
    assert "judge openai:gone" in refused.stderr
    assert "no such model" in refused.stderr
    for typed in ("gpt", "openai:", "other:m", ""):
        wrong = call("score", "--all", "-o", played, "--judge", typed)
        assert wrong.exit_code == 2
        assert f"--judge {typed}: want openai:MODEL" in wrong.stderr
        planned = call("run", "-m", "bm25", "-t", "conversation", "--dry-run", "--judge", typed, "-o", tmp_path)
        assert (planned.exit_code, wrong.stderr) == (2, planned.stderr)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    planned = call("run", "-m", "bm25", "-t", "conversation", "--dry-run", "--judge", "openai:m", "-o", tmp_path)
    assert (planned.exit_code, "set OPENAI_API_KEY, or give --base-url" in planned.stderr) == (2, True)
    empty = call("score", "--all", "-o", tmp_path, "--judge", "openai:m", "--base-url", server.url)
    assert "no cell of the task conversation is done here" in empty.stderr
    assert call("verify", played).exit_code == 0
