"""Accepted answers of published golds: what is right by them, and that nothing else is."""

from __future__ import annotations

from datetime import datetime

import pytest

from membench.corpora.sessions import written_day
from membench.data._golds import answers_of
from membench.metrics.answer_scores import score_answer
from membench.values import Question

DAYS = "18 days. 19 days (including the last day) is also acceptable."
AGO = "7 days ago. 8 days (including the last day) is also acceptable."
WEEK = "One week. Answers ranging from 7 days to 10 days are also acceptable."
TIME = "25 minutes and 50 seconds (or 25:50)"


@pytest.mark.parametrize(
    ("gold", "accepted"),
    [
        (DAYS, ("18 days", "19 days")),
        (AGO, ("7 days ago", "7 days", "8 days")),
        (WEEK, ("One week", "7 days", "8 days", "9 days", "10 days")),
        ("5.5 weeks. 6 weeks is also acceptable", ("5.5 weeks", "6 weeks")),
        ("Dr. Hay. Dr. Oat is also acceptable.", ("Dr. Hay. Dr. Oat is also acceptable.",)),
        (TIME, ("25 minutes and 50 seconds", "25:50")),
        ("a red sofa (or couch)", ("a red sofa",)),
        ("University of California, Los Angeles (UCLA)", ("University of California, Los Angeles (UCLA)",)),
        ("You led 4 engineers. Now, you lead 5", ("You led 4 engineers. Now, you lead 5",)),
        ("a week (or 7 days)", ("a week", "7 days")),
        ("a trip to the beach (or a lake)", ("a trip to the beach",)),
        ("twelve (or 13)", ("twelve", "13")),
        ("3 times (or 4)", ("3 times", "4 times")),
        ("three times (or four)", ("three times", "four times")),
        ("two bikes (or three)", ("two bikes", "three bikes")),
        ("7 times. 8 is also acceptable.", ("7 times", "8 times")),
        ("2 nights (or 1)", ("2 nights", "1 night")),
        ("1 night (or 2)", ("1 night", "2 nights")),
        ("the 2nd floor (or 3)", ("the 2nd floor",)),
        ("the 2nd of 2 nights (or 3)", ("the 2nd of 2 nights", "the 2nd of 3 nights")),
        ("Someone bought one (or 2)", ("Someone bought one", "Someone bought 2")),
        ("1st place, 1 point (or 2)", ("1st place, 1 point", "1st place, 2 point")),
        ("a 3-day trip (or 4)", ("a 3-day trip", "a 4-day trip")),
        ("2 Weeks (or 1)", ("2 Weeks", "1 Week")),
        ("a 5 day trip (or 6)", ("a 5 day trip", "a 6 day trip")),
        ("2 time zones (or 3)", ("2 time zones", "3 time zones")),
        ("1 week ago (or 2)", ("1 week ago", "2 weeks ago")),
        ("3 children (or 4)", ("3 children", "4 children")),
        ("10 km (or 12)", ("10 km", "12 km")),
        ("at 7 pm (or 8)", ("at 7 pm", "at 8 pm")),
        ("iPhone 13 Pro (or 14)", ("iPhone 13 Pro", "iPhone 14 Pro")),
        ("3 large pizzas (or 4)", ("3 large pizzas", "4 large pizzas")),
        ("1 of them (or 2)", ("1 of them", "2 of them")),
        ("twenty-one days (or 22)", ("twenty-one days",)),
        ("Honda Civic 2019 (or 2020)", ("Honda Civic 2019", "Honda Civic 2020")),
        ("5-6 days (or 7)", ("5-6 days",)),
        ("code 2-05-07x (or 8)", ("code 2-05-07x",)),
        ("4-bedroom house (or 5)", ("4-bedroom house", "5-bedroom house")),
        ("one-way ticket (or 2)", ("one-way ticket",)),
        ("1 year old (or 2)", ("1 year old", "2 years old")),
        ("3 times a week (or 1)", ("3 times a week", "1 time a week")),
        ("1 hour per day (or 2)", ("1 hour per day", "2 hours per day")),
        ("between 3 and 5 days (or 6)", ("between 3 and 5 days",)),
        (
            "7 May 2023",
            (
                "7 May 2023",
                "May 7, 2023",
                "2023-05-07",
                "7th May 2023",
                "7th of May 2023",
                "May 7th, 2023",
                "07 May 2023",
                "2023/05/07",
            ),
        ),
        (
            "22 January, 2023",
            (
                "22 January, 2023",
                "January 22, 2023",
                "2023-01-22",
                "22nd January 2023",
                "22nd of January 2023",
                "January 22nd, 2023",
                "2023/01/22",
            ),
        ),
        ("May 2023", ("May 2023",)),
        ("The week before 9 June 2023", ("The week before 9 June 2023",)),
        ("31 February 2023", ("31 February 2023",)),
        ("Likely no", ("Likely no",)),
        ("?", ("?",)),
    ],
)
def test_golds_are_taken_apart(gold: str, accepted: tuple[str, ...]) -> None:
    assert answers_of(gold) == accepted


@pytest.mark.parametrize(
    ("gold", "answer", "right"),
    [
        (DAYS, "18 days", 1),
        (DAYS, "It took nineteen days.", 1),
        (DAYS, "118 days", 0),
        (DAYS, "20 days", 0),
        (AGO, "That was 7 days before.", 1),
        (WEEK, "9 days", 1),
        (WEEK, "A week is 11 days.", 0),
        (TIME, "25:50", 1),
        (TIME, "It was 25 minutes and 50 seconds.", 1),
        (TIME, "27:12", 0),
        (TIME, "50 seconds", 0),
        ("7 May 2023", "May 7, 2023", 1),
        ("7 May 2023", "On 2023-05-07.", 1),
        ("7 May 2023", "It was on the 7th of May 2023.", 1),
        ("11 May 2023", "May 11th, 2023", 1),
        ("3 times (or 4)", "4 months ago", 0),
        ("three times (or four)", "Four months ago.", 0),
        ("7 times. 8 is also acceptable.", "8 months ago", 0),
        ("2 nights (or 1)", "1 night", 1),
        ("1 night (or 2)", "2 nights", 1),
        ("Honda Civic 2019 (or 2020)", "In 2020 I bought a Tesla.", 0),
        ("7 May 2023", "May 17, 2023", 0),
        ("7 May 2023", "May 2023", 0),
        ("7 May 2023", "2023-07-05", 0),
        # A bare "no" is named by answers that do not say it, so that it is not accepted.
        ("Likely no", "I have no idea.", 0),
    ],
)
def test_what_is_right_by_a_gold(gold: str, answer: str, right: int) -> None:
    assert score_answer(Question("q", "?", answers_of(gold), "c"), answer)["contains"] == right


@pytest.mark.parametrize(
    "text", ["7 May 2023", "7 May, 2023", "7May 2023", "May 7 2023", "May 7th, 2023", "7th of May, 2023",
             "7 may 2023.", "2023/05/07", "2023-5-7"],
)  # fmt: skip
def test_days_are_read_in_the_ways_that_golds_write_them(text: str) -> None:
    assert written_day(text) == datetime(2023, 5, 7)


@pytest.mark.parametrize(
    "text", ["7 Mai 2023", "32 May 2023", "5/7/2023", "2023-13-01", "7 May 2023 at noon", "2023", "the 7th"]
)
def test_what_is_no_whole_day_is_none(text: str) -> None:
    assert written_day(text) is None
