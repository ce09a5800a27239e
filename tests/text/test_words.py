from __future__ import annotations

import re
import unicodedata

import pytest

from membench.corpora.world_builder import build
from membench.text.fold import fold
from membench.text.sentences import sentences
from membench.text.words import count_words, first_words, is_spaced, word_starts, words

SAME = [
    ("São Paulo", unicodedata.normalize("NFD", "SÃO PAULO")),
    ("서울", unicodedata.normalize("NFD", "서울")),
    ("1931", "１９３１"),
    ("1931", "١٩٣١"),
    ("1931", "१९३१"),
    ("ｶﾞﾗｽ", "ガラス"),
    ("Ｏxley Inn", "oxley inn"),
    ("Straße", "STRASSE"),
    ("ΌΣΟΣ", "όσος"),
    ("İstanbul", "istanbul"),
    ("IĞDIR", "ığdır"),
    ("Paris", "Pa\u200bris"),
    ("Oxley", "Ox\u00adley"),
    ("القاهرة", "\u200fالقاهـــرة"),
    ("❤", "❤\ufe0f"),
    ("ﬁne", "fine"),
    ("12 km", "12\u00a0㎞"),
]
SPLIT = [
    ("韦尔马港口，由伊内斯建造。", ["韦", "尔", "马", "港", "口", "由", "伊", "内", "斯", "建", "造"]),
    ("東京タワーです！", ["東", "京", "タ", "ワ", "ー", "で", "す"]),
    ("서울에서", ["서", "울", "에", "서"]),
    ("ที่นี่", ["ที่", "นี่"]),
    ("दिल्ली। कहाँ?", ["दिल्ली", "कहाँ"]),
    ("القاهرة، مصر؟", ["القاهرة", "مصر"]),
    ("iPhone手机 17", ["iphone", "手", "机", "17"]),
    ("“Ocean’s” Eleven…well–known", ["ocean", "s", "eleven", "well", "known"]),
    ("10² 3½", ["10", "2", "3", "1", "2"]),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_reads_the_same_is_folded_to_the_same(one: str, other: str) -> None:
    assert fold(one) == fold(other)
    assert words(one) == words(other)


@pytest.mark.parametrize(("text", "found"), SPLIT)
def test_words_of_every_script(text: str, found: list[str]) -> None:
    assert words(text) == found


def test_powers_and_fractions_are_not_run_together() -> None:
    assert len({fold(text) for text in ("10²", "102", "10^3", "3½", "31/2")}) == 5


def test_plain_english_is_split_as_by_its_word_characters() -> None:
    texts = [context.text for context in (build(0, index) for index in range(50))]
    texts += ["It's 3.5 m; snake_case, U.S. (1,931)!", "Émile’s café — “naïve”"]
    for text in texts:
        assert words(text) == re.findall(r"\w+", text.lower())
        assert count_words(text) == len(text.split())
        assert first_words(text, 5) == " ".join(text.split()[:5])


def test_lengths_and_beginnings_without_spaces() -> None:
    assert count_words("巴黎，法国。 Paris") == 5
    assert first_words("韦尔马，港口。 是", 3) == "韦尔马，"
    assert first_words("韦尔马", 0) == ""
    assert first_words("wo äh  ok", 9) == "wo äh ok"
    assert word_starts("ab 港口 c") == [0, 3, 4, 6]
    assert (is_spaced("дом и сад"), is_spaced("บ้าน"), is_spaced("a 港")) == (True, False, False)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("他说：“走吧。”她走了。再见！", 3),
        ("यह घर है। वह बाग है॥", 2),
        ("هل تعلم؟ نعم. لا۔ربما", 4),
        ("One. Two! “Three?” 3.5 is four.", 3),
        ("Աա։ Բբ։", 2),
    ],
)
def test_sentences_end_as_their_script_has_it(text: str, count: int) -> None:
    parts = sentences(text)
    assert len(parts) == count
    assert "".join(parts).replace(" ", "") == text.replace(" ", "")
