"""Pairs in the replies of language models, in the forms that they have been seen in."""

from __future__ import annotations

import json
import time

import pytest

from membench.targets.pairs import parse

WHO, WHEN = ("Who built it?", "Ines Corde"), ("When?", "1931")


def found(reply: str, cut: bool = False) -> list[tuple[str, str]]:
    return [(pair.question, pair.answer) for pair in parse(reply, cut)]


@pytest.mark.parametrize(
    "reply",
    [
        "Q: Who built it?\nA: Ines Corde\nQ: When?\nA: 1931",
        "question: Who built it?\nanswer: Ines Corde\n\nquestion: When?\nanswer: 1931",
        "**Question:** Who built it?\n**Answer:** Ines Corde\n\n**Question:** When?\n**Answer:** 1931.",
        "**Q: Who built it?**\nA: Ines Corde\n\n**Q: When?**\nA: **1931**",
        "__Q:__ Who built it?\n__A:__ Ines Corde\n__Q:__ When?\n__A:__ 1931",
        "Q1. Who built it?\nA1. Ines Corde\nQ2. When?\nA2. 1931",
        "Q1) Who built it?\nA1) Ines Corde\nQ2) When?\nA2) 1931",
        "Q - Who built it?\nA - Ines Corde\nQ - When?\nA - 1931",
        "### Question 1\nWho built it?\n### Answer\nInes Corde\n\n### Question 2\nWhen?\n### Answer\n1931",
        "Q：Who built it?\nA：Ines Corde\nQ：When?\nA：1931",
        "问题1：Who built it?\n答案1：Ines Corde\n问题2：When?\n答案2：1931。",
        "問：Who built it? 答：Ines Corde 問：When? 答：1931",
        "F: Who built it?\nA: Ines Corde\nF: When?\nA: 1931",
        "P: Who built it?\nR: Ines Corde\nP: When?\nR: 1931",
        "```\nQ: Who built it?\nA: Ines Corde\nQ: When?\nA: 1931\n```",
        "Q: Who built it?\nA: Ines Corde\nQ: When?\nA: 1931\n\nLet me know if you need more pairs than these.",
        "<p>Q: Who built it?</p><p>A: Ines Corde</p><p>Q: When?<br>A: 1931</p>",
        "1. Who built it?\n   Ines Corde\n2. When?\n   1931",
        "1. Who built it? Ines Corde\n2. When? - 1931",
        "**1. Who built it?**\nInes Corde\n\n**2. When?**\n1931",
        "- Who built it?\n  - Ines Corde\n- When?\n  - 1931",
        "Who built it?\nInes Corde\n\nWhen?\n1931",
        "Who built it? | Ines Corde\nWhen? | 1931",
        "| # | Question | Answer |\n|---|:--|---|\n| 1 | Who built it? | Ines Corde |\n| 2 | When? | 1931 |",
        "Who built it?\tInes Corde\r\nWhen?\t1931\r\n",
        '{"pairs": [{"question": "Who built it?", "answer": "Ines Corde"}, {"question": "When?", "answer": 1931}]}',
        'Yes:\n```json\n[{"Question": "Who built it?", "Answer": "Ines Corde"}, {"Q": "When?", "A": "1931"}]\n```\nSo.',
        '{"question": "Who built it?", "answer": "Ines Corde"}\n{"question": "When?", "answer": "1931"}',
        '{"question_1": "Who built it?", "answer_1": "Ines Corde", "question_2": "When?", "answer_2": ["1931"]}',
        '{"Who built it?": "Ines Corde", "When?": 1931}',
        '[["Who built it?", "Ines Corde"], ["When?", "1931"]]',
        '{"questions": ["Who built it?", "When?"], "answers": ["Ines Corde", "1931"]}',
        '{"data": {"问题": "Who built it?", "答案": "Ines Corde"}, "more": [{"问": "When?", "答": "1931"}]}',
    ],
)
def test_pairs_are_read_from_the_forms_that_models_write(reply: str) -> None:
    assert found(reply) == [WHO, WHEN]


@pytest.mark.parametrize(
    ("reply", "pair"),
    [
        ("Q: What is the ratio a:b of cement?\nA: 2:1", ("What is the ratio a:b of cement?", "2:1")),
        (
            "Q: Is Vitamin A: retinol or niacin?\nA: retinol",
            ("Is Vitamin A: retinol or niacin?", "retinol"),
        ),
        ("Q: What is Q: in the notes?\nA: a question", ("What is Q: in the notes?", "a question")),
        ("Q: Which goods?\nA:\n- timber\n- salt\n- wool", ("Which goods?", "timber, salt, wool")),
        ("Q: Which goods?\nA: timber\nsalt\nwool\n", ("Which goods?", "timber, salt, wool")),
        ("Q: Which goods?\nA:\n\n1. timber,\n2. salt", ("Which goods?", "timber, salt")),
        ("Q: Which of these\nis it?\nA: that", ("Which of these is it?", "that")),
        ("Q: What is the show M*A*S*H?\nA: C*-algebra", ("What is the show M*A*S*H?", "C*-algebra")),
        ("Q: What is **bold** or *so*?\nA: **very** much", ("What is bold or so?", "very much")),
        ("Q: What is 2**3**4 in __init__?\nA: 2**3", ("What is 2**3**4 in __init__?", "2**3")),
        ("Q: Where?\nA: Washington, D.C.", ("Where?", "Washington, D.C.")),
        ("Q: Who?\nA: a Ph.D.", ("Who?", "a Ph.D.")),
        ("Q: Who?\nA: Corde Inc.", ("Who?", "Corde Inc.")),
        ("Q: Which?\nA: Vitamin C.", ("Which?", "Vitamin C")),
        ("Q: How much?\nA: 3.5.", ("How much?", "3.5")),
        ("Q: Where?\nA: example.com.", ("Where?", "example.com")),
        ("Q: What comes?\nA: and so on...", ("What comes?", "and so on...")),
        ("Q: Which sign?\nA: +", ("Which sign?", "+")),
        ("Q: Which sign?\nA: **", ("Which sign?", "**")),
        ("Q: Which sign?\nA: 👍", ("Which sign?", "👍")),
        ("问：谁建造了港口？\n答：伊内斯。", ("谁建造了港口？", "伊内斯")),
        ("Ｑ：谁建造了港口？\nＡ：伊内斯", ("谁建造了港口？", "伊内斯")),
        ("**ถาม:** ใครสร้าง?\n**ตอบ:** อิเนส", ("ใครสร้าง?", "อิเนส")),
        ("س: من بنى الميناء؟\nج: إينس", ("من بنى الميناء؟", "إينس")),
        ("1. من بنى الميناء؟ - إينس", ("من بنى الميناء؟", "إينس")),
        ("प्रश्न 1: किसने बनाया?\nउत्तर 1: इनेस।", ("किसने बनाया?", "इनेस")),
        ("Soru: Kim yaptı?\nCevap: Ines", ("Kim yaptı?", "Ines")),
        ("<qa><q>Who built it?</q><a>Ines</a></qa>", ("Who built it?", "Ines")),
    ],
)
def test_what_a_question_and_an_answer_hold_stays_whole(reply: str, pair: tuple[str, str]) -> None:
    assert found(reply) == [pair]


@pytest.mark.parametrize(
    "reply",
    [
        "", "Sorry, I cannot do that.", "Sorry, I can't. Would you like another passage? Let me know.",
        "Q: Who built it?", "Q: Who built it?\nA:", "Q: Who built it?\nA: —\n", "Q: ?\nA: yes",
        "A: Ines Corde", "[1, [2, 3]]", '{"question": "Who?"}', '{"question": 5, "answer": 6}',
        "| Question | Answer |\n|---|---|",
    ],
)  # fmt: skip
def test_what_is_no_pair_is_none(reply: str) -> None:
    assert found(reply) == []


@pytest.mark.parametrize(
    "reply",
    [
        "Q: Who built it?\nA: Ines Corde\nQ: When?\nA: 19",
        "Q: Who built it?\nA: Ines Corde\nQ: Wh",
        "Q: Who built it? A: Ines Corde Q: When? A: 19",
        "Q: Who built it?\nA: Ines Corde\nQ: When?\nA:\n- 19",
        "Who built it? | Ines Corde\nWhen? | 19",
        "1. Who built it?\nInes Corde\n2. When?\n19",
        '{"pairs": [{"question": "Who built it?", "answer": "Ines Corde"}, {"question": "When?", "answer": "19',
    ],
)
def test_of_a_reply_that_is_cut_the_last_pair_is_left_out(reply: str) -> None:
    assert found(reply, cut=True) == [WHO]


def test_a_whole_reply_of_json_ends_with_a_whole_pair() -> None:
    row = json.dumps([{"question": WHO[0], "answer": WHO[1]}])
    assert found(row, cut=True) == found(row) == [WHO]


@pytest.mark.parametrize(
    "piece", ["[", '{"a":"b",', '{"a":', "{", "Q: ", "**", "* ", "? ", " ", "|", "<", "`", "\n", "A:\n", "问："]
)
def test_a_hostile_reply_is_read_in_time(piece: str) -> None:
    started = time.monotonic()
    found(piece * (200_000 // len(piece)))
    assert time.monotonic() - started < 10
