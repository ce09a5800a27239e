"""LongMemEval: golds with several answers, ids that stand twice, and the files of its data sets on the hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from membench.api import Composed
from membench.errors import MembenchError
from tests.data.test_conversation_data import load, longmemeval, written


def test_longmemeval_alternates_are_accepted_and_are_nobodys_distractors(tmp_path: Path) -> None:
    golds = ["18 days. 19 days (including the last day) is also acceptable.", "25 minutes and 50 seconds (or 25:50)"]
    golds += [f"{n} days. {n + 1} days (including the last day) is also acceptable." for n in (30, 40, 50, 60)]
    rows = [longmemeval(k, answer=gold) for k, gold in enumerate(golds)]
    found = [c.questions[0] for c in load("longmemeval", written(tmp_path / "oracle.json", rows)).contexts]
    assert [q.answers for q in found[:2]] == [("18 days", "19 days"), ("25 minutes and 50 seconds", "25:50")]
    assert {d for q in found for d in q.distractors} <= {q.answers[0] for q in found}


def test_longmemeval_loses_no_session_whose_id_stands_twice(tmp_path: Path) -> None:
    hello, other = ([{"role": "user", "content": words}] for words in ("Hello.", "Other words."))
    row = longmemeval(
        1,
        haystack_session_ids=["s1", "s1", "s1", "s1", "s1#2", "s2"],
        haystack_dates=["2023/05/20", "2023/05/22", "2023/05/20", "2023/05/20", "2023/05/23", "2023/05/24"],
        haystack_sessions=[hello, hello, hello, other, other, hello],
        answer_session_ids=["s1"],
    )
    (context,) = load("longmemeval", written(tmp_path / "s.json", [row])).contexts
    assert isinstance(context, Composed)
    ids = ["q1/s1", "q1/s1#4", "q1/s1#2", "q1/s1#2#5", "q1/s2"]
    assert [p.id for p in context.parts] == ids, "by date, equal ones once"
    assert len({p.text for p in context.parts}) == 5
    assert context.text == "\n\n".join(p.text for p in context.parts[:3]), "all that have the id of the evidence"
    assert [p.completes for p in context.parts] == [(), (), ("q1",), (), ()]


@pytest.mark.parametrize(
    ("argument", "file"),
    [
        ("some-one/cleaned", "longmemeval_s_cleaned.json"),
        ("some-one/cleaned:m", "longmemeval_m_cleaned.json"),
        ("some-one/cleaned:oracle", "longmemeval_oracle.json"),
        ("some-one/older", "longmemeval_s"),
    ],
)
def test_longmemeval_of_the_hub_fetches_the_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argument: str, file: str
) -> None:
    asked: dict[str, Any] = {}

    def fetch(name: str, **options: Any) -> str:
        asked.update(options, name=name)
        return str(tmp_path)

    monkeypatch.setattr("huggingface_hub.snapshot_download", fetch)
    written(tmp_path / file, [longmemeval(1)])
    data = load("longmemeval", argument)
    assert (data.name, data.contexts[0].id) == (f"longmemeval:{argument}", "q1")
    assert (asked["name"], asked["repo_type"]) == (argument.partition(":")[0], "dataset")
    assert file in asked["allow_patterns"]
    assert not any("*" in pattern for pattern in asked["allow_patterns"])


def test_what_longmemeval_cannot_have_of_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: str(tmp_path))
    with pytest.raises(
        MembenchError, match=r"no longmemeval_m_cleaned\.json or .* `hf download --repo-type dataset a/b`"
    ):
        load("longmemeval", "a/b:m")
    with pytest.raises(MembenchError, match="want one of a/b:s, a/b:m, a/b:oracle"):
        load("longmemeval", "a/b:xl")
    with pytest.raises(MembenchError, match="longmemeval wants a file or a hub id"):
        load("longmemeval", "")
    with pytest.raises(MembenchError, match=r"locomo wants a file: --data locomo:FILE\.json"):
        load("locomo", "a/b")
