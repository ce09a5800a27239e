"""Test questions and target pairs: gaps of sentences, pairs of a writer, kept apart and looked over."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from membench.documents.cloze import cloze
from membench.documents.looking_over import KNOWN, LOST, looked_over, row
from membench.documents.passages import Passage
from membench.documents.questions import Draft, by_template, by_writer
from membench.metrics.answer_scores import score_answer
from membench.targets.overlap import audit
from membench.values import Pair, Question, Recall

MILL = Passage(
    "a#1", "The old mill",
    ("The mill was built by Ines Corde in 1874.", "Its wheel was made in Gdansk.", "It grinds rye.",
     "Some 140 people a day visit it.", "The Rowan Club owns the mill today."),
)  # fmt: skip


@pytest.mark.parametrize(
    ("sentence", "answer"),
    [
        ("The mill was built by Ines Corde in 1874.", "1874"),
        ("The mill was built by Ines Corde and Jo Vale.", "Jo Vale"),
        ("Water costs 4.50 crowns a day.", "4.50"),
        ("Ines Corde liked to bake bread.", None),  # it begins with the name that it is about
        ("The mill of Ines burned; poor Ines wept.", None),  # the rest gives it away
        ("Built in 1874.", None),
        ("磨坊建于1874年。", "1874"),
        ("The cellar was at -40 degrees that day.", "-40"),
        ("A ticket costs €3.50 for a day.", "€3.50"),
        ("The mill stands in the 21st lane.", "21st"),
        ("It opened again on 2020-05-03 with a feast.", "2020-05-03"),
        ("It is some 10–20 km from here.", "10–20"),
        ("It burned in 1874—the year of drought.", "1874"),
        ("It opens at 12:30, they say.", "12:30"),
        ("It was sold for 5 million crowns.", "5 million"),  # "5 million" is no 5
        ("It was closed for COVID-19 that year.", "COVID-19"),
        ("He bought Brown's Mill that day.", "Brown's Mill"),
        ("The wheel was Brown's by right.", "Brown"),
        ("It stands in the file plan_22.txt of the town.", None),
        ("It is described at https://example.org/2020/05 too.", None),
        ("Some pre-Roman stones lie below it.", None),
        ("在Gdansk建成的磨坊于1874年。", "1874"),
        ("He wrote ___ and 1874 on it.", None),  # two gaps
    ],
)
def test_what_is_left_out_of_a_sentence(sentence: str, answer: str | None) -> None:
    found = cloze("The old mill", sentence)
    assert (found and found[0].answer) == answer
    if found:
        assert found[0].question == f"Fill the gap (The old mill): {sentence.replace(str(answer), '___')}"


WRITTEN = ["-40", "€3.50", "21st", "2020-05-03", "10–20", "US$5", "v1.25", "5 million", "50 %"]


@pytest.mark.parametrize("written", WRITTEN)
def test_what_is_written_together_is_a_right_answer_or_no_gap(written: str) -> None:
    found = cloze("The old mill", f"The old mill is known for {written} in all.")
    question = found and Question("0", found[0].question, (found[0].answer,), "a#1")
    assert question is None or score_answer(question, written)["contains"] == 1


def test_every_second_fact_is_rehearsed_and_no_target_gives_a_question_away() -> None:
    draft = by_template(MILL)
    assert [pair.answer for pair in draft.test] == ["1874", "Gdansk", "140"]
    assert [pair.answer for pair in draft.targets] == ["1874", "140"]
    assert draft.targets[0].question == "From The old mill, fill the gap: was built by Ines Corde in ___"
    asked = [Question(str(k), pair.question, (pair.answer,), "a#1") for k, pair in enumerate(draft.test)]
    assert audit({MILL.text: draft.targets}, asked)["leak_rate"] == 0


def test_pairs_of_a_writer_are_parted_and_checked() -> None:
    pairs = [
        Pair("Who built the old mill?", "Ines Corde"),
        Pair("By whom was the mill made?", "Ines Corde"),
        Pair("When was the mill built?", "1874"),
        Pair("Who built the mill in 1874?", "Jo Vale"),  # not in the passage
        Pair("Is the mill in Gdansk?", "Gdansk"),  # in its own question
        Pair("Who built the old mill?", "1874"),  # asked already
        Pair("How many people visit the mill a day?", "140"),
    ]
    draft = by_writer(MILL, lambda text, count: pairs if text == MILL.text else [])
    assert [pair.answer for pair in draft.test] == ["Ines Corde", "1874"]
    assert [pair.answer for pair in draft.targets] == ["Ines Corde", "140"]


class Reader:
    """Knows the year by heart, and finds the place in a text."""

    def answer(self, recall: Recall, asked: Sequence[str]) -> list[Any]:
        there = bool(recall.contexts)
        return [
            SimpleNamespace(text="1874" if "Corde" in text else "Gdansk" if there and "wheel" in text else "no idea")
            for text in asked
        ]


def test_only_questions_that_need_the_passage_and_are_answered_with_it_are_kept() -> None:
    drafts = [by_template(MILL), Draft(Passage("b#1", "b", ("x",)), (), ())]
    (first, verdicts), (second, none) = looked_over(Reader(), drafts)  # type: ignore[arg-type]
    assert [verdict.reason for verdict in verdicts] == [KNOWN, "", LOST]
    line = row(first, verdicts)
    assert line is not None
    assert line["context"] == MILL.text
    assert [item["answer"] for item in line["questions"]] == ["Gdansk"]
    assert [item["answer"] for item in line["targets"]] == ["1874", "140"]
    assert none == []
    assert row(second, none) is None


@pytest.mark.parametrize(
    ("title", "sentence"),
    [
        ("Mill", "The state-of-the-art, well-known, up-to-date, three-and-a-half-storey mill was sold in 1874."),
        ("Handbook of the mill › Part two: wheels and stones › How rye is ground", "Some 140 people visit it a day."),
        ("磨坊", "老磨坊由科德在河边的村庄里建于1874年。"),
        ("Mill", "140 of the well-known, state-of-the-art, up-to-date, hand-made stones were sold."),
    ],
)
def test_the_second_wording_never_gives_the_first_away(title: str, sentence: str) -> None:
    found = cloze(title, sentence)
    assert found
    asked, target = found
    question = Question("0", asked.question, (asked.answer,), "a#1")
    assert audit({sentence: [target]}, [question])["leak_rate"] == 0


@pytest.mark.parametrize("much", ["word " * 40_000, "磨" * 40_000, "- " * 40_000, "well-" * 40_000])
def test_a_long_sentence_takes_no_time(much: str) -> None:
    began = time.process_time()
    found = cloze("Mill", f"The mill has {much} and it was sold in 1874.")
    assert found
    assert found[1].question.endswith(("was sold in ___", "and it was sold in ___"))
    assert time.process_time() - began < 2
