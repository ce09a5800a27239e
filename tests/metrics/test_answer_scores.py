"""The answer scores on small tables of cases."""

from __future__ import annotations

import pytest

from membench.api import Question
from membench.metrics.answer_scores import score_answer, token_f1
from membench.text.mentions import normalise


def question(*golds: str, text: str = "Who?", distractors: tuple[str, ...] = ()) -> Question:
    return Question("q", text, golds, "c", distractors)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The  Harbour, of Vellmar!", "harbour of vellmar"),
        ("A", "a"),
        ("%", "%"),
        ("  ", ""),
        ("It's theirs", "its theirs"),
    ],
)
def test_normalise(text: str, expected: str) -> None:
    assert normalise(text) == expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("Ines Corde", "the Ines Corde.", 1.0),
        ("Ines", "Ines Corde", 2 / 3),
        ("no no no", "no", 0.5),
        ("", "", 0.0),
        ("Ines", "Corde", 0.0),
    ],
)
def test_token_f1(a: str, b: str, expected: float) -> None:
    assert token_f1(a, b) == pytest.approx(expected)


def test_best_of_the_accepted_answers() -> None:
    scores = score_answer(question("Ines Corde", "Corde"), "Corde")
    assert (scores["f1"], scores["em"], scores["contains"]) == (1.0, 1.0, 1.0)


def test_an_empty_answer_scores_nothing() -> None:
    assert score_answer(question("3"), " ") == dict.fromkeys(
        ("f1", "em", "contains", "contains_capped", "exclusive", "words"), 0.0
    )


@pytest.mark.parametrize(
    ("gold", "answer", "expected"),
    [
        ("3", "38 percent", 0.0),
        ("3", "It holds 3.", 1.0),
        ("38 percent", "about 38 percent of banks", 1.0),
        ("an", "anchor", 0.0),
    ],
)
def test_contains_on_token_boundaries(gold: str, answer: str, expected: float) -> None:
    assert score_answer(question(gold), answer)["contains"] == expected


def test_contains_is_capped_at_three_times_the_gold_words_and_five() -> None:
    inside = " ".join(["so"] * 7) + " Corde"
    outside = " ".join(["so"] * 8) + " Corde"
    assert score_answer(question("Corde"), inside)["contains_capped"] == 1.0
    late = score_answer(question("Corde"), outside)
    assert (late["contains"], late["contains_capped"], late["words"]) == (1.0, 0.0, 9.0)


@pytest.mark.parametrize(
    ("answer", "text", "expected"),
    [
        ("It was Corde", "Who?", 1.0),
        ("Corde or Brannow", "Who?", 0.0),
        ("Corde, not Brannow", "Was it Brannow?", 1.0),
        ("Brannow", "Who?", 0.0),
    ],
)
def test_exclusive(answer: str, text: str, expected: float) -> None:
    asked = question("Corde", text=text, distractors=("Brannow", "Quill"))
    assert score_answer(asked, answer)["exclusive"] == expected


def test_exclusive_with_overlapping_candidates() -> None:
    assert score_answer(question("New York City", distractors=("York",)), "in New York City")["exclusive"] == 1.0
    assert score_answer(question("York", distractors=("New York",)), "in New York")["exclusive"] == 0.0
