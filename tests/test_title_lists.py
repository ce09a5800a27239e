"""Reading lists out of answers, and finding the catalogue's item for a title."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from membench.title_lists import read_titles
from membench.titles import Titles, bare

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
    source = (Path(__file__).parent.parent / "membench" / "titles.py").read_text(encoding="utf-8")
    assert not re.search(r"^(?:from|import) (?:rapidfuzz|numpy)", source, re.MULTILINE)
