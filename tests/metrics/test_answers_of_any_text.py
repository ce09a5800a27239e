"""What an answer contains, in any script; and that English answers score as the SQuAD evaluation has it."""

from __future__ import annotations

import json
import re
import string
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from membench.api import Question
from membench.metrics.answer_scores import mentions, score_answer, token_f1
from membench.text.mentions import names, normalise, same
from membench.text.number_words import read_alike, read_numbers

RESULTS = Path(__file__).parents[2] / "results" / "reference"

CONTAINED = [
    ("巴黎", "巴黎。"), ("艾达", "艾达于一九三一年建造了港口"), ("東京", "首都は東京です"),
    ("서울", "서울에서 태어났다"),
    ("เชียงใหม่", "เขาเกิดที่เชียงใหม่ครับ"), ("القاهرة", "\u200fالقاهرة،"), ("نعم", "نعم؟"), ("दिल्ली", "दिल्ली।"),
    ("São Paulo", "Sa\u0303o Paulo"), ("1931", "１９３１"), ("1931", "١٩٣١"), ("Ocean's Eleven", "Ocean’s Eleven"),
    ("Heat", "“Heat”"), ("1990-1995", "1990 – 1995"), ("Paris", "Paris—the capital"), ("Paris", "Paris…"),
    ("Le Monde", "«Le Monde»"), ("12 km", "12\u00a0km"), ("Oxley", "Ox\u00adley\u200b"), ("Straße", "STRASSE"),
    ("İstanbul", "istanbul"), ("A", "The answer is A"), ("A", "A. Paris"), ("An", "An"), ("-5", "−5 °C"), ("5%", "5 %"),
    ("1,931", "1931"), ("1931", "in 1,931 places"), ("1000000", "1'000'000"), ("12000", "12\u202f000"), ("1.5", "1,5"),
    ("5 percent", "5%"), ("$5", "5"), ("€5", "5 €"), ("C++", "in C++."), ("C#", "C#, of course"), ("👍", "👍!"),
    ("❤️", "❤"), ("well-known", "a well known man"), ("well known", "well-known"), ("USA", "U.S.A."), ("U.S.", "the US"),
    ("O'Brien", "OBrien"), ("Oxley Inn", "Oxley_Inn"), ("AT&T", "AT&amp;T"), ("Paris", "**Paris**"), ("12 km", "12km"),
    ("Vitamin A", "It is Vitamin A deficiency"), ("vitamin a", "vitamin a deficiency"),
    ("The The", "I like The The a lot"),
    ("the Beatles", "Beatles"), ("Beatles", "the Beatles"), ("red", "red/green"), ("+", "+"), ("三", "第三天"),
    ("محمد", "مُحَمَّد"), ("أحمد", "أَحْمَدُ."), ("שלום", "שָׁלוֹם"), ("שלום", "\ufb2aלום"),
    ("1/2", "½"), ("3 1/2", "3½"), ("5%", "٥٪"), ("5", "5️⃣"),
    ("forty", "40"), ("40", "Forty-two, no: forty."), ("1st", "first"), ("the twenty-first century", "21st century"),
    ("1105", "one thousand one hundred and five"), ("5 million", "5,000,000"), ("$1.5 million", "1500000"),
    ("one", "1 of 5"), ("30 second", "a thirty second delay"), ("third", "3rd"), ("69", "sixty  nine"),
    ("5%", "five %"),
    ("1 million", "Between 1 million and two million people"),
    ("2000000", "Between one million and two million people"),
    ("one", "One of the brothers died."), ("one", "She had the one daughter"),
    ("One Direction", "that One Direction album"),
    ("two", "Answer:two"), ("two", "red,two"), ("two", "It was…two"), ("two", "答案是two"),
    ("forty", "答えはfortyです"),
    ("one third", "one-third"), ("fortytwo", "forty-two"), ("Seven Eleven", "Seven-Eleven"),
    ("twenty twenty", "twenty-twenty"),
    ("two hundred", "two hundred and one of them died"), ("1 harbour", "There is one harbour."),
    ("1", "The answer is one."), ("1931", "nineteen thirty-one"), ("25", "twenty‑five"), ("five", "５"),
    ("5", "_five_"),
    ("1 in 5", "one in five"), ("Air Force 1", "Air Force One"), ("1st", "The first."), ("10 years", "ten years"),
    ("no", "No, one of them survived."), ("no", "No. One was saved."), ("No.", "No\nOne day later"),
    ("one", "No, one."), ("rouge et vert", "vert et rouge"), ("红色和绿色", "绿色和红色"),
    ("red, green and blue", "Blue, green and red are its colours."),
    ("100", "a hundred"), ("1.3333333 million", "1.3333333 million"),
    ("red, green", "green and red"), ("red, green, and blue", "It was blue, red and green."), ("红、绿", "绿和红"),
    ("Simon & Garfunkel", "Garfunkel and Simon"), ("red, red wine", "red wine and red"), ("rot; blau", "blau und rot"),
    ("x, y, z", "z, y, x"), ("x, y, z", "z, x and y"),
    ("100", "one hundred"), ("1,000,000", "one million"), ("1234", "one thousand two hundred thirty-four"),
    ("2001", "two thousand one"), ("$1 million", "one million dollars"), ("1", "just one"), ("1", "It's one"),
    ("東京と大阪", "大阪と東京"), ("ひとつ と ふたつ", "ふたつ と ひとつ"),
    ("no one", "No one knows"), ("no", "No, no one knows"), ("no-one", "no one"), ("No", "No longer."),
]  # fmt: skip
NOT_CONTAINED = [
    ("1", "one of them"), ("10", "dom ten nowy"), ("4", "four and a half"), ("1998", "nineteen ninety-eight thousand"),
    ("1618", "sixteen eighteen-year-olds"), ("さとう", "うとさ"),
    ("Vitamin A", "Vitamin C"), ("Hepatitis A", "Hepatitis B"), ("Vitamin A", "A vitamin"),
    ("The The", "the band is Wham and the"),
    ("The Who", "Who knows"), ("A", "a cat sat on the mat"), ("3.5", "35"), ("35", "3.5"), ("1,5", "15"), ("-5", "5"),
    ("5", "-5"), ("10:30", "1030"), ("2:1", "21"), ("1.10", "11.0"), ("$1.50", "$150"), ("1/11", "11/1"), ("C++", "C"),
    ("C", "C++"), ("C#", "C"), ("A+", "A"), ("5%", "5"), ("€5", "$5"), ("10²", "102"), ("3½", "31/2"), ("+", "-"),
    ("3", "38"), ("yes", "yesterday"), ("profit", "non-profit"), ("北京大学", "清华大学"), ("12", "12km"), ("x", ""),
    ("1990", "19901995"), ("👍", "👎"), ("<5", ">5"), ("أحمد", "آدم"), ("1/2", "¼"), ("no", "nobody"), ("Дом", "Домик"),
    ("no", "no one knows"), ("no", "there is no doubt"), ("one", "no one knows"), ("1", "another one"),
    ("1", "one can see"), ("1", "one of them"), ("20", "twenty-three"), ("23", "twenty, three"), ("40", "fortyish"),
    ("2nd", "a thirty second delay"), ("first", "21st"), ("100", "hundreds"), ("2", "second"),
    ("3000", "one thousand, two thousand"), ("150000", "between fifty thousand and one hundred thousand people"),
    ("1", "She bought the red one."), ("1", "One does not know."), ("1", "one third of it"), ("2", "two thirds of it"),
    ("1000 people", "a few thousand people"), ("100", "several hundred"), ("1 million", "half a million people"),
    ("10", "Ten pociąg odjeżdża o dziewiątej."), ("2nd", "wait a second"), ("1st", "at first"),
    ("201000", "In 2010 hundred people came"), ("3 million", "1 million and two million people"),
    ("1", "One day he left"), ("1", "At one point he left the house"), ("1", "one by one they left"),
    ("1", "One wonders."), ("1st", "first come first served"), ("2nd", "They second the motion"),
    ("5th", "a fifth of them"), ("5", "minus five"),
    ("10th", "a tenth of the people"), ("5000000", "three point five million people"), ("31", "nineteen thirty-one"),
    ("42", "The ships were forty\nTwo sank"), ("23", "twenty\nthree"), ("10", "ten sam"), ("1", "one su sestre"),
    ("10", "Han har ten have"), ("four, seven, two", "two, seven, four"), ("-5, 3", "3, -5"), ("5%, 10%", "10%, 5%"),
    ("€5 and €6", "€6 and €5"),
    ("Paris, Texas", "He moved from Texas, Paris was too far"),
    ("Paris, France", "He left France, Paris Hilton was there"), ("June, 1931", "He left in 1931, June said"),
    ("red, green", "red"), ("red, green", "green, blue, red"), ("Paris, Texas", "Texas is bigger than Paris"),
    ("1,5", "5,1"), ("R&D", "D and R"), ("1, 7", "Brazil beat Germany 7, 1"), ("3, 4", "4 3"), ("A and C", "B and C"),
    ("red and green", "It is not green. Red it is"),
]  # fmt: skip


@pytest.mark.parametrize(("gold", "answer"), CONTAINED)
def test_contained(gold: str, answer: str) -> None:
    assert score_answer(Question("q", "?", (gold,), "c"), answer)["contains"] == 1.0
    assert mentions(answer, [gold])


@pytest.mark.parametrize(("gold", "answer"), NOT_CONTAINED)
def test_not_contained(gold: str, answer: str) -> None:
    scores = score_answer(Question("q", "?", (gold,), "c"), answer)
    assert (scores["contains"], scores["em"], scores["exclusive"]) == (0.0, 0.0, 0.0)
    assert not mentions(answer, [gold])


def test_a_unit_is_part_of_a_measure() -> None:
    assert not names("20 C", "20 °C")
    assert not names("20 K", "20 °C")


def test_characters_are_the_words_of_f1_and_lengths_without_spaces() -> None:
    assert token_f1("北京大学", "清华大学") == pytest.approx(0.5)
    scores = score_answer(Question("q", "?", ("北京",), "c"), "是" * 20 + "北京")
    assert (scores["contains"], scores["contains_capped"], scores["words"]) == (1.0, 0.0, 22.0)


def test_articles_stay_where_they_are_no_articles() -> None:
    assert normalise("The harbour of a town") == "harbour of town"
    assert normalise("Plan A works") == "plan a works"
    assert normalise("Once Upon A Time") == "once upon time"
    assert normalise("a 港口", english=False) == "a 港 口"
    assert not same("Vitamin A", "Vitamin")


def test_a_distractor_that_is_an_accepted_answer_by_the_normal_form_is_ignored() -> None:
    asked = Question("q", "Where?", ("U.S.",), "c", ("US", "Peru"))
    assert score_answer(asked, "the U.S.")["exclusive"] == 1.0
    assert score_answer(asked, "the U.S. or Peru")["exclusive"] == 0.0
    chinese = Question("q", "?", ("北京",), "c", ("北京大学", "南京"))
    assert score_answer(chinese, "在北京大学")["exclusive"] == 0.0
    assert score_answer(chinese, "在北京。")["exclusive"] == 1.0


def test_the_order_of_a_list_counts_where_another_order_is_a_distractor() -> None:
    asked = Question("q", "First and second?", ("red, green",), "c", ("green, red",))
    right, wrong = score_answer(asked, "red and green"), score_answer(asked, "green and red")
    assert (right["contains"], right["exclusive"], wrong["contains"], wrong["exclusive"]) == (1.0, 1.0, 0.0, 0.0)
    free = Question("q", "Which two?", ("red, green",), "c", ("blue", "red"))
    assert score_answer(free, "green and red")["exclusive"] == 1.0
    assert score_answer(free, "green, red and blue")["exclusive"] == 0.0


def test_what_belongs_to_an_accepted_answer_is_no_distractor_in_words_or_digits_and_all_else_is() -> None:
    def exclusive(gold: str, distractor: str, answer: str) -> float:
        return score_answer(Question("q", "?", (gold,), "c", (distractor,)), answer)["exclusive"]

    both = "two sons and three daughters"
    assert exclusive(both, "3 daughters", both) == exclusive("Apollo Eleven", "11", "Apollo Eleven") == 1.0
    assert exclusive("5,000,000", "5", "5 million") == exclusive("two million", "2", "2 million") == 1.0
    assert exclusive("4th", "1st", "4th, though she was first at the half.") == 1.0
    assert exclusive("3", "1", "She sold the old one and has 3.") == 1.0
    assert exclusive("500", "1000", "500, not several thousand.") == 1.0
    assert exclusive("3", "5", "three or five") == 0.0
    assert exclusive("red and green", "blue and red", "green and red, or red and blue") == 0.0
    assert exclusive("red and green", "blue and yellow", "red and green. Or yellow and blue") == 0.0
    assert exclusive("red and green", "red", "Red: no, just red. The two are red and green.") == 0.0


def test_a_question_for_an_order_wants_it() -> None:
    asked = Question("q", "In what order did they come?", ("Rome, Milan and Turin",), "c")
    assert score_answer(asked, "Turin, Rome and Milan")["contains"] == 0.0
    assert score_answer(asked, "Rome, Milan, Turin")["contains"] == 1.0


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("between one hundred and two hundred", "between 100 and 200"), ("nineteen ninety", "1990"),
        ("two million one hundred thousand and six", "2100006"), ("one million, two others", "1000000, 2 others"),
        ("Twelfth of the hundredth", "12th of the 100th"), ("one hundred and first", "101st"),
        ("seventh heaven", "7th heaven"), ("someone", "someone"), ("nineteen oh five", "1905"), ("five hundred", "500"),
        ("3.5 thousand", "3500"), ("a two-year-old", "a 2-year-old"), ("eighth, ninth", "8th, 9th"), ("zero", "0"),
        ("one hundred and twelfth", "112th"), ("1 million 200 thousand", "1200000"), ("5 hundred thousand", "500000"),
        ("one hundred and two thousand", "100 and 2000"), ("half a million people", "half a million people"),
    ],
)  # fmt: skip
def test_numbers_in_english_words_are_read(text: str, read: str) -> None:
    assert read_numbers(text) == read


@pytest.mark.parametrize(
    "word", ["one ", "no one ", "hundred thousand ", "twenty-first ", "1 million and ", "1, ", "no, "]
)
def test_long_answers_take_no_time(word: str) -> None:
    asked = Question("q", "?", ("no, no, no, no, no, no, no, no, no, yes", "1, 1, 1, 1, 0, 1, 1, 1, 1, 1", "5"), "c")
    before = time.process_time()
    score_answer(asked, word * (20_000 // len(word)))
    score_answer(asked, "1" * 5000 + " million 1.333 thousand")
    for space in (" ", "\t", "\n", "\u00a0"):
        score_answer(replace(asked, answers=("red, green",)), "green" + space * 50_000 + "red")
    assert time.process_time() - before < 5


def test_a_value_is_not_named_by_a_longer_rival() -> None:
    assert not names("the Bank of Oxley", "Oxley", ["Bank of Oxley"])
    assert names("Oxley, not the Bank of Oxley", "Oxley", ["Bank of Oxley"])


# ---------------------------------------------------------------- the published evaluation


def published(text: str) -> list[str]:
    """Version 1.1 of the SQuAD evaluation: lower case, then no punctuation, no articles, single spaces."""
    bare = "".join(character for character in text.lower() if character not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", bare).split()


def published_f1(a: list[str], b: list[str]) -> float:
    shared = sum((Counter(a) & Counter(b)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(a), shared / len(b)
    return 2 * precision * recall / (precision + recall)


NUMBERS = re.compile(r"\d[.:/,+=^*'-]+\d|(?<!\w)[-<>.]\$?\d|\d\s*%")
LONE = re.compile(
    r"\b(?:a|an|the)\b(?!\s+[\"'(\[{*_“‘«]*\w)|\w (?-i:A [a-z])|\b(?:a|an|the) (?:and|or)\b", re.IGNORECASE
)


def is_declared(text: str) -> bool:
    """The cases of docs/scores.md: marks in numbers, signs, percents, articles without a word behind, C++."""
    found = (pattern.search(text) for pattern in (NUMBERS, LONE, re.compile(r"\w[+#]|&\w+;")))
    return any(found) or not text.isascii() or len(published(text)) < 2


def stored() -> Iterator[dict[str, Any]]:
    seen = set()
    for path in sorted(RESULTS.glob("*/records.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["type"] == "answer" and "f1" in row["scores"]:
                key = (row["answer"], *row["gold"])
                if key not in seen:
                    seen.add(key)
                    yield row


def test_stored_english_answers_score_as_the_published_evaluation_has_it() -> None:
    rows = [row for row in stored() if not any(map(is_declared, (row["answer"], *row["gold"])))]
    assert len({row["answer"] for row in rows}) > 1000
    for row in rows:
        scores = score_answer(Question("q", "?", tuple(row["gold"]), "c"), row["answer"])
        if any(read_alike(row["answer"], gold) for gold in row["gold"]):
            continue  # declared, too
        said, golds = published(row["answer"]), [published(gold) for gold in row["gold"]]
        assert scores["em"] == float(said in golds)
        assert scores["f1"] == pytest.approx(max(published_f1(said, gold) for gold in golds))


def test_the_stored_scores_are_those_of_today() -> None:
    for row in stored():
        scores = score_answer(Question("q", "?", tuple(row["gold"]), "c"), row["answer"])
        for name in ("f1", "em", "contains", "contains_capped", "words"):
            assert row["scores"][name] == pytest.approx(scores[name]), (row["answer"], row["gold"])


@pytest.mark.parametrize(
    ("gold", "answer"),
    [("10 km", "ten km"), ("10%", "ten percent"), ("18th century", "eighteenth century"), ("Formula 1", "Formula One")],
)
def test_what_is_the_same_has_an_f1_of_one(gold: str, answer: str) -> None:
    assert token_f1(gold, answer) == token_f1(answer, gold) == 1.0
    assert token_f1("", "") == 0.0
