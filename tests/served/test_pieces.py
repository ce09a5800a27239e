"""Pieces in place of tokens: they are the text again, whatever it is written in, and about as many as tokens."""

from __future__ import annotations

import pytest

from membench.prompts.prompt import EXAMPLES
from membench.served import pieces


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a  b\n\n c",
        "\t\r\n",
        "艾达于1931年建造了港口。",
        "👩‍👩‍👧 ok",
        "\x00a",
        "C++ −5 3.14159",
        "half \ud83d pair",
        "นักเขียน",
    ],
)
def test_pieces_joined_are_the_text(text: str) -> None:
    found = pieces.ids(text)
    assert pieces.text_of(found) == text
    assert all(0 < number < 2**63 for number in found)
    assert pieces.text_of(found[: len(found) // 2]) + pieces.text_of(found[len(found) // 2 :]) == text


def test_english_has_more_pieces_than_words_and_fewer_than_two_a_word() -> None:
    texts = " ".join(text for text, _ in EXAMPLES)
    assert 1.2 < len(pieces.ids(texts)) / len(texts.split()) < 2
