"""The leak gate: what counts as a leak, what as memory, and which questions are named."""

from __future__ import annotations

import pytest

from membench.api import Pair, Question
from membench.targets.overlap import audit

TEXTS = {"c0": "Ines Corde built the harbour of Vellmar.", "c1": "The Brannow Bank sponsors the survey."}
WHO = Pair("Who built the harbour of Vellmar?", "Ines Corde")


def ask(text: str, *answers: str, context: str = "c0") -> Question:
    return Question(text, text, answers or ("Ines Corde",), context)


def test_a_question_in_the_same_words_is_a_leak_whatever_its_case_and_articles() -> None:
    questions = [ask("who built a harbour of VELLMAR"), ask("Whose work is the harbour of Vellmar?")]
    report = audit({TEXTS["c0"]: [WHO]}, questions, TEXTS)
    assert report == {
        "pairs": 1,
        "questions": 2,
        "exact": 0.5,
        "ngram": 0.0,
        "leak_rate": 0.5,
        "leaked": ["who built a harbour of VELLMAR"],
        "answer_covered": 1.0,
    }


@pytest.mark.parametrize(
    ("target", "leaks"),
    [
        (Pair("Tell me: one two three four five six seven eight?", "x"), True),
        (Pair("Tell me: one two three four five six seven?", "x"), False),
        (Pair("What is said?", "one two three four five six seven eight nine"), True),
        (Pair("one two three four", "five six seven eight"), False),
    ],
)
def test_eight_words_in_a_row_are_a_leak(target: Pair, leaks: bool) -> None:
    question = ask("Say one, two, three, the four, five, six, seven, eight now.", "x")
    report = audit({TEXTS["c1"]: [target]}, [question], TEXTS)
    assert (report["ngram"], report["leak_rate"], report["exact"]) == (float(leaks), float(leaks), 0.0)


def test_a_leak_by_both_counts_once() -> None:
    text = "Which of the old harbours of Vellmar was built by Ines Corde?"
    report = audit({TEXTS["c0"]: [Pair(text, "x")]}, [ask(text), ask("Why?"), ask("When?"), ask("Where?")], TEXTS)
    assert (report["exact"], report["ngram"], report["leak_rate"]) == (0.25, 0.25, 0.25)


def test_an_answer_is_covered_by_pairs_about_the_same_passage_only() -> None:
    questions = [
        ask("Whose work is it?", "Corde", "The Ines Corde"),
        ask("Who pays?", "Ines Corde", context="c1"),
        ask("Who sails?", "Ines Corde", context="c9"),
        ask("Who sleeps?", "Ines"),
    ]
    report = audit({TEXTS["c0"]: [WHO]}, questions, TEXTS)
    assert report["answer_covered"] == 0.25
    assert report["leak_rate"] == 0.0
    assert audit({TEXTS["c0"]: [WHO]}, questions)["answer_covered"] is None


def test_nothing_asked_leaks_nothing() -> None:
    report = audit({TEXTS["c0"]: [WHO]}, [], TEXTS)
    assert (report["questions"], report["leak_rate"], report["answer_covered"]) == (0, 0.0, 0.0)
