"""Readers of dated conversations: files in the published forms, an errata file, and what they say of broken records."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from membench.api import Composed, Context, Dataset
from membench.errors import MembenchError
from membench.planning.data_checks import checked
from membench.plugins import registry
from membench.values import NOT_STATED


def load(source: str, argument: object, limit: int = 99) -> Dataset:
    return checked(registry.load("data", source)().load_conversations(str(argument), limit, 0))


def written(path: Path, records: object) -> Path:
    path.write_text(json.dumps(records), encoding="utf-8")
    return path


def longmemeval(number: int, type_: str = "multi-session", **more: Any) -> dict[str, Any]:
    """A record in the published form, its sessions not in the order of their dates."""
    said = [
        [
            {"role": "user", "content": f"I sold hat {number}.", "has_answer": True},
            {"role": "assistant", "content": ""},
        ],
        [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Good day."}],
        [{"role": "user", "content": f"I bought hat {number}."}],
    ]
    return {
        "question_id": f"q{number}", "question_type": type_, "question": "What did I sell?", "answer": f"hat {number}",
        "question_date": "2023/06/01 (Thu) 10:00", "haystack_session_ids": ["s3", "s1", "s2"],
        "haystack_dates": ["2023/05/30 (Tue) 23:40", "2023/05/20 (Sat) 02:21", "2023/05/21"],
        "haystack_sessions": said, "answer_session_ids": ["s3", "s2"], **more,
    }  # fmt: skip


def test_longmemeval_is_read_by_date_with_kinds_and_abstention(tmp_path: Path) -> None:
    rows = [
        longmemeval(1), longmemeval(2), longmemeval(3, "knowledge-update", answer=7),
        longmemeval(4, "single-session-preference"), longmemeval(5, "multi-session", question_id="q5_abs"),
    ]  # fmt: skip
    data = load("longmemeval", written(tmp_path / "oracle.json", rows))
    assert [c.id for c in data.contexts] == ["q1", "q3", "q5_abs", "q2"], "kinds in turn"
    first, update, nothing, _ = data.contexts
    assert isinstance(first, Composed)
    assert [p.id for p in first.parts] == ["q1/s1", "q1/s2", "q1/s3"]
    assert [p.completes for p in first.parts] == [(), (), ("q1",)]
    assert first.text == (
        "Conversation of 21 May 2023\nUser: I bought hat 1.\n\nConversation of 30 May 2023, 23:40\nUser: I sold hat 1."
    )
    assert first.questions[0].text == "It is 1 June 2023, 10:00. What did I sell?"
    assert "hat 2" in first.questions[0].distractors
    assert update.questions[0].answers == ("7",)
    assert nothing.questions[0].answers == NOT_STATED
    assert nothing.questions[0].tags == {"kind": "abstention", "type": "multi-session"}
    assert not any(d in NOT_STATED for c in data.contexts for q in c.questions for d in q.distractors)
    assert load("longmemeval", tmp_path / "oracle.json", 2).contexts == data.contexts[:2]


def qa(category: int, question: str, evidence: list[str], **more: Any) -> dict[str, Any]:
    return {"question": question, "evidence": evidence, "category": category, **more}


def locomo(*asked: dict[str, Any], **more: Any) -> dict[str, Any]:
    said = {
        "speaker_a": "Ann", "speaker_b": "Bob",
        "session_1_date_time": "1:56 pm on 8 May, 2023",
        "session_1": [{"speaker": "Ann", "dia_id": "D1:1", "text": "I like tea.", "blip_caption": "a cup"}],
        "session_2_date_time": "12:05 am on 9 June, 2023",
        "session_2": [{"speaker": "Bob", "dia_id": "D2:1", "text": "I like ice."}],
        "session_3_date_time": "1:00 pm on 1 July, 2023",
    }  # fmt: skip
    return {"sample_id": "conv-1", "conversation": said, "qa": list(asked), **more}


ASKED = (
    qa(4, "What does Ann like?", ["D1:1"], answer="tea"),
    qa(2, "When does Bob speak?", ["D2:1"], answer=2023),
    qa(1, "What do they like?", ["D1:1; D2:1"], answer="tea, ice"),
    qa(3, "Is it cold?", ["D:2:1"], answer="Yes; he likes ice"),
    qa(5, "What does Bob drink?", [], adversarial_answer="tea"),
    qa(4, "Without evidence?", [], answer="lost"),
)


def questions(data: Dataset) -> dict[str, Any]:
    return {q.text.partition(". ")[2]: q for c in data.contexts for q in c.questions}


def test_locomo_keeps_the_numbers_of_its_categories(tmp_path: Path) -> None:
    data = load("locomo", written(tmp_path / "locomo10.json", [locomo(*ASKED)]))
    found = questions(data)
    assert {t: (q.tags["category"], q.tags["kind"]) for t, q in found.items()} == {
        "What does Ann like?": ("4", "single-session"), "When does Bob speak?": ("2", "temporal"),
        "What do they like?": ("1", "multi-session"), "Is it cold?": ("3", "open-domain"),
        "What does Bob drink?": ("5", "abstention"),
    }  # fmt: skip
    assert found["When does Bob speak?"].answers == ("2023",)
    assert found["Is it cold?"].answers == ("Yes",)
    trap = found["What does Bob drink?"]
    assert (trap.answers, trap.distractors, trap.tags["leak"]) == (NOT_STATED, ("tea",), "tea")
    assert {c.id for c in data.contexts} == {"conv-1-D1", "conv-1-D2", "conv-1-D1-D2"}
    (both,) = [c for c in data.contexts if c.id == "conv-1-D1-D2"]
    assert both.text == (
        "Conversation of 8 May 2023, 13:56\nAnn: I like tea. [shows a picture: a cup]\n\n"
        "Conversation of 9 June 2023\nBob: I like ice."
    ).replace("9 June 2023", "9 June 2023, 00:05")
    assert all(q.text.startswith("It is 9 June 2023, 00:05. ") for c in data.contexts for q in c.questions)


def test_locomo_takes_a_day_in_other_forms(tmp_path: Path) -> None:
    asked = [
        qa(2, "When?", ["D1:1"], answer="7 May 2023"), qa(2, "And then?", ["D2:1"], answer="19 January, 2023"),
        qa(3, "Is it so?", ["D1:1"], answer="Likely no; it is late"),
    ]  # fmt: skip
    found = questions(load("locomo", written(tmp_path / "locomo10.json", [locomo(*asked)])))
    assert found["When?"].answers[:3] == ("7 May 2023", "May 7, 2023", "2023-05-07")
    assert found["And then?"].answers[:3] == ("19 January, 2023", "January 19, 2023", "2023-01-19")
    assert found["When?"].distractors[0] == "19 January, 2023"
    assert found["Is it so?"].answers == ("Likely no",)


def test_errata_correct_and_take_out(tmp_path: Path) -> None:
    path = written(tmp_path / "locomo10.json", [locomo(*ASKED)])
    right: list[dict[str, Any]] = [
        {"sample_id": "conv-1", "question": "What does Ann like?", "answer": "green tea", "evidence": ["D2:1"]},
        {"sample_id": "conv-1", "question": "What do they like?", "answer": None},
    ]
    data = load("locomo", f"{path}+{written(tmp_path / 'errata.json', right)}")
    assert data.name == "locomo:locomo10.json+errata.json"
    found = questions(data)
    assert found["What does Ann like?"].answers == ("green tea",)
    assert found["What does Ann like?"].context == "conv-1-D2"
    assert "What do they like?" not in found
    right[0]["question"] = "What does Ann lik?"
    with pytest.raises(MembenchError, match=r"errata\.json: record 1: no question 'What does Ann lik\?' of 'conv-1'"):
        load("locomo", f"{path}+{written(tmp_path / 'errata.json', right)}")


def test_errata_are_of_every_question_that_reads_so_and_stand_once(tmp_path: Path) -> None:
    twice = [qa(4, "What does Ann like?", [f"D{n}:1"], answer="milk") for n in (1, 2)]
    path = written(tmp_path / "locomo10.json", [locomo(*twice)])
    right = {"sample_id": "conv-1", "question": "What does Ann like?", "answer": "tea"}
    data = load("locomo", f"{path}+{written(tmp_path / 'errata.json', [right])}")
    assert [q.answers for c in data.contexts for q in c.questions] == [("tea",), ("tea",)]
    with pytest.raises(
        MembenchError, match=r"record 2: question 'What does Ann like\?' of 'conv-1' stands there twice"
    ):
        load("locomo", f"{path}+{written(tmp_path / 'errata.json', [right, {**right, 'answer': None}])}")


def agent_bench(source: str, context: str, *asked: tuple[str, Any]) -> dict[str, Any]:
    return {
        "context": context, "questions": [q for q, _ in asked], "answers": [a for _, a in asked],
        "metadata": {"source": source},
    }  # fmt: skip


def test_memoryagentbench_is_cut_into_dated_pieces(tmp_path: Path) -> None:
    filler = " ".join(f"Line {k} says nothing at all of note." for k in range(60))
    facts = f"0. The king of Oz is Ann. {filler} 99. The king of Oz is Bob."
    rows = [
        agent_bench("factconsolidation_sh", facts, ("Who is the king of Oz?", ["Bob", " "]), ("Who?", ["Nobody"])),
        agent_bench("ruler_qa2_421K", facts, ("Which king?", ["Ann"])),
        agent_bench("infbench_sum_eng_shots2", "A book.", ("Sum it up.", ["a book"])),
    ]  # fmt: skip
    data = load("memoryagentbench", written(tmp_path / "rows.json", rows))
    several, update = sorted(data.contexts, key=lambda c: c.questions[0].tags["kind"])
    assert isinstance(update, Composed)
    assert [p.id for p in update.parts] == ["mab-0/piece-0", "mab-0/piece-1"]
    assert update.text.startswith("Conversation of 2 January 2024\nText: ")
    assert update.questions[0].text == "It is 3 January 2024. Who is the king of Oz?"
    assert len(update.questions) == 1, "nobody is named"
    assert several.text.count("Conversation of") == 2


def test_a_fact_stays_with_the_number_that_says_which_is_newer(tmp_path: Path) -> None:
    facts = "Here is a list of facts:\n" + "\n".join(f"{k}. The capital of Land{k} is Town{k}." for k in range(120))
    row = agent_bench("factconsolidation_sh", facts, ("What is the capital of Land49?", ["Town49"]))
    (context,) = load("memoryagentbench", written(tmp_path / "rows.json", [row])).contexts
    assert isinstance(context, Composed)
    assert len(context.parts) > 1
    for part in context.parts:
        told = part.text.partition("Text: ")[2].removeprefix("Here is a list of facts: ")
        assert re.fullmatch(r"((\d+)\. The capital of Land\2 is Town\2\.( |$))+", told)


@pytest.mark.parametrize(("source", "pieces"), [("factconsolidation_mh_6k", 2), ("factconsolidation_sh_6k", 1)])
def test_facts_of_two_hops_have_two_pieces_of_evidence(tmp_path: Path, source: str, pieces: int) -> None:
    filler = " ".join(f"Line {k} says nothing at all of note." for k in range(60))
    facts = f"0. The poet of Oz is Ann. {filler} 50. {filler} 99. Bob was born in Rome."
    row = agent_bench(source, facts, ("Where was the poet of Oz born?", ["Rome"]))
    (context,) = load("memoryagentbench", written(tmp_path / "rows.json", [row])).contexts
    assert context.questions[0].tags["kind"] == "update"
    assert context.text.count("Conversation of") == pieces
    assert ("The poet of Oz is Ann" in context.text) == (pieces == 2)


BROKEN: list[tuple[str, Any, str]] = [
    ("longmemeval", longmemeval(1, "odd"), "unknown 'question_type' 'odd'"),
    ("longmemeval", longmemeval(1, haystack_dates=["2023/05/20"]), "differ in length"),
    ("longmemeval", longmemeval(1, question_date="2023/02/31"), "'2023/02/31' is no date such as"),
    ("longmemeval", longmemeval(1, answer_session_ids=["gone"]), "none of 'answer_session_ids'"),
    ("longmemeval", longmemeval(1, answer=""), "'answer' is missing"),
    ("locomo", locomo(qa(6, "?", ["D1:1"], answer="x")), "'category' must be a number from 1 to 5, got 6"),
    ("locomo", locomo(qa(1, "?", ["D1:1"])), "'answer' is missing"),
    ("locomo", locomo(qa(True, "?", ["D1:1"], answer="x")), "'category' must be a number from 1 to 5, got True"),
    ("locomo", locomo({**qa(1, "?", ["D1:1"], answer="x"), "category": [4]}), "from 1 to 5, got [4]"),
    ("locomo", locomo(*ASKED, conversation={"session_1": [{"speaker": "A", "text": "b"}]}), "'session_1_date_time'"),
    ("locomo", locomo(qa(4, "?", [], answer="x")), "no question that can be matched"),
    ("memoryagentbench", agent_bench("ruler_qa1", "A.", ("?", [])), "answers[0]: wants a text"),
    ("memoryagentbench", agent_bench("ruler_qa1", "A.", ("?", [True])), "answers[0]: wants a text"),
    ("locomo", locomo(qa(1, "?", ["D1:1"], answer="  ")), "'answer' is missing"),
    ("locomo", locomo(qa(1, "?", ["D1:1"], answer=float("nan"))), "'answer' is no text"),
    ("memoryagentbench", {"context": "A.", "questions": ["?"], "answers": ["A"]}, "'metadata' is missing"),
]


@pytest.mark.parametrize(("source", "record", "message"), BROKEN)
def test_broken_records_are_refused_in_one_line(tmp_path: Path, source: str, record: Any, message: str) -> None:
    with pytest.raises(MembenchError, match=r"broken\.json") as caught:
        load(source, written(tmp_path / "broken.json", [record]))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_tasks_take_the_evidence_as_one_text(tmp_path: Path) -> None:
    path = written(tmp_path / "locomo10.json", [locomo(*ASKED)])
    contexts: tuple[Context, ...] = registry.load("data", "locomo")().load(str(path), 1, 0).contexts
    assert contexts[0].text.startswith("Conversation of ")
