"""Reading lists out of answers, and finding the catalogue's item for a title."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from membench.metrics.title_lists import read_titles
from membench.metrics.titles import Titles, bare

THREE = ["Alpha", "Beta: The Return", "3:10 to Yuma"]


@pytest.mark.parametrize(
    "answer",
    [
        "1. Alpha\n2. Beta: The Return\n3. 3:10 to Yuma",
        "Here are 3 films:\n\n1) Alpha (1984)\n2) Beta: The Return (2001) - a comedy, and a good one.\n3) 3:10 to Yuma",
        "1. Alpha 2. Beta: The Return 3. 3:10 to Yuma",
        "1: Alpha\n2: Beta: The Return\n3: 3:10 to Yuma\nUser: Thanks, I like 4. Delta",
        '1. "Alpha"\n2. **Beta: The Return**\n3. 3:10 to Yuma.\n\nSystem: Anything else?',
        "1. Alpha\nA: 2. Beta: The Return\nA: 3. 3:10 to Yuma",
        "1. Alpha\nB. Beta: The Return\nC. 3:10 to Yuma",
        "A) Alpha\nB) Beta: The Return\nC) 3:10 to Yuma",
        "- Alpha\n- Beta: The Return\n- 3:10 to Yuma",
        "You could watch these films:\n• Alpha\n• Beta: The Return\n• 3:10 to Yuma",
        "Alpha\nBeta: The Return\n3:10 to Yuma",
        "Alpha, Beta: The Return, and 3:10 to Yuma",
        "I recommend these films: Alpha, Beta: The Return, 3:10 to Yuma.",
        "Alpha; Beta: The Return; 3:10 to Yuma",
        "Alpha, Beta: The Return, 3:10 to Yuma\nSystem: I'm sorry, I'm sorry.",
    ],
)
def test_a_list_is_read_however_it_is_written(answer: str) -> None:
    assert read_titles(answer) == THREE


def test_numbers_and_years_in_titles_are_no_marks() -> None:
    assert read_titles("12 Angry Men, 2.5 Minutes, 1917") == ["12 Angry Men", "2.5 Minutes", "1917"]
    assert read_titles("1. 2 Fast 2 Furious\n2. 10 Things I Hate About You")[0] == "2 Fast 2 Furious"
    assert read_titles("1. 2001: A Space Odyssey (1968)") == ["2001: A Space Odyssey"]
    assert read_titles("A. I.\nX. Y.") == ["A. I", "X. Y"]


def test_what_is_no_title_is_left_out() -> None:
    assert read_titles("." * 512) == []
    assert read_titles("1. ...\n2. ???\n3. Alpha") == ["Alpha"]
    assert read_titles(" ".join(["word"] * 17)) == []
    assert read_titles("Alpha, alpha (1999), Beta") == ["Alpha", "alpha", "Beta"]


def test_bare_titles() -> None:
    assert bare("Water_(1985_film)") == "Water"
    assert bare("Spider-Man  (2002)") == "Spider Man"


def distance(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (x != y))
    return row[-1]


def test_the_nearest_item_is_the_first_of_those_at_the_smallest_distance() -> None:
    rng = random.Random(0)
    items = ["".join(rng.choices("abc ", k=rng.randrange(1, 9))).strip() or "a" for _ in range(60)]
    asked = ["".join(rng.choices("abcd ", k=rng.randrange(1, 12))) for _ in range(200)]
    for query, (number, found) in zip(asked, Titles(items).nearest(asked), strict=True):
        distances = [distance(bare(query).lower(), bare(item).lower()) for item in items]
        assert (number, found) == (distances.index(min(distances)), min(distances))


def test_case_and_parentheses_do_not_count() -> None:
    catalogue = Titles(["The Matrix", "It", "it (1990)", "Spider-Man"])
    assert catalogue.nearest(["the MATRIX (1999)", "IT", "spider man", "Spidermen"]) == [(0, 0), (1, 0), (3, 0), (3, 2)]
    assert catalogue.nearest([]) == []


def test_rapidfuzz_is_imported_only_to_search() -> None:
    source = (Path(__file__).parents[2] / "membench" / "metrics" / "titles.py").read_text(encoding="utf-8")
    assert not re.search(r"^(?:from|import) (?:rapidfuzz|numpy)", source, re.MULTILINE)


CATALOGUE = Titles(
    (
        "The Matrix", "Heat", "Inception", "The Good, the Bad and the Ugly", "Mission: Impossible – Fallout", "Mission",
        "Beauty and the Beast", "Beauty", "300: Rise of an Empire", "Heat and Dust",
    )
)  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "titles"),
    [
        ("1. **The Matrix** - A hacker finds out", ["The Matrix"]),
        ("1. **The Matrix** (1999): a hacker\n2. **Heat:** A crime film", ["The Matrix", "Heat"]),
        ('1. "Inception" - mind-bending', ["Inception"]),
        ("1. The Matrix - a sci-fi classic\n2. Heat – crime", ["The Matrix", "Heat"]),
        ("- **Heat**: A crime film\n+ Inception", ["Heat", "Inception"]),
        ("+ Heat\n+ Inception", ["Heat", "Inception"]),
        ("#1 Heat\n#2 Inception", ["Heat", "Inception"]),
        ("1 - Heat\n2 - Inception", ["Heat", "Inception"]),
        ("2. Heat\n3. Inception", ["Heat", "Inception"]),
        ("2. Heat", ["Heat"]),
        ("1. Heat\n1. Inception\n1. The Matrix", ["Heat", "Inception", "The Matrix"]),
        ("The Matrix, Heat and Inception", ["The Matrix", "Heat", "Inception"]),
        ("Heat, Beauty and the Beast", ["Heat", "Beauty and the Beast"]),
        ("Inception, Heat and Dust", ["Inception", "Heat and Dust"]),
        ("The Good, the Bad and the Ugly, Heat", ["The Good, the Bad and the Ugly", "Heat"]),
        ('"Heat", "The Good, the Bad and the Ugly".', ["Heat", "The Good, the Bad and the Ugly"]),
        ("The Good, the Bad and the Ugly\nHeat", ["The Good, the Bad and the Ugly", "Heat"]),
        ("1. Mission: Impossible - Fallout", ["Mission: Impossible - Fallout"]),
        ("1. Mission: Impossible – Fallout - the sixth", ["Mission: Impossible – Fallout"]),
        ("Heat\n300: Rise of an Empire", ["Heat", "300: Rise of an Empire"]),
    ],
)
def test_titles_of_the_catalogue_decide(answer: str, titles: list[str]) -> None:
    assert read_titles(answer, CATALOGUE.holds) == titles


def test_without_a_catalogue_remarks_and_marks_go_too() -> None:
    assert read_titles("1. **Alpha** - good\n2. Beta - better\n3. Gamma-Ray") == ["Alpha", "Beta", "Gamma-Ray"]
    assert read_titles("Alpha and Beta, Gamma") == ["Alpha and Beta", "Gamma"]
    assert read_titles("'Til Dawn - a romance\n'Tis Pity") == ["Til Dawn", "Tis Pity"]
