"""Passages: sections, cut between sentences where they are long, in any script."""

from __future__ import annotations

from pathlib import Path

from membench.documents.passages import WORDS, passages
from membench.text.words import count_words


def test_a_short_section_is_one_passage_below_its_headings(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Ferry\n\nIt sails. It is blue.\n\n## Fares\n\nFour crowns.")
    found = passages(tmp_path)
    assert [(p.id, p.text) for p in found] == [
        ("a.md#1", "Ferry\nIt sails. It is blue."),
        ("a.md#2", "Ferry › Fares\nFour crowns."),
    ]


def test_long_sections_are_cut_between_sentences_and_lose_nothing(tmp_path: Path) -> None:
    said = [f"Sentence number {k} tells of the {k} mills of the valley." for k in range(60)]
    (tmp_path / "a.txt").write_text(" ".join(said))
    found = passages(tmp_path)
    assert len(found) > 2
    assert [sentence for passage in found for sentence in passage.sentences] == said
    assert all(sum(map(count_words, passage.sentences)) <= WORDS for passage in found)


def test_a_sentence_without_an_end_is_cut_at_words_and_scripts_without_spaces_at_characters(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(" ".join(f"w{k}" for k in range(400)))
    (tmp_path / "b.txt").write_text("艾达于一八七四年建造了磨坊" * 40)
    found = passages(tmp_path)
    assert all(sum(map(count_words, passage.sentences)) <= WORDS for passage in found)
    joined = {name: "".join("".join(p.sentences) for p in found if p.id.startswith(name)) for name in ("a", "b")}
    assert joined["b"] == "艾达于一八七四年建造了磨坊" * 40
    assert joined["a"] == "".join(
        f"w{k}" if k in (149, 299, 399) else f"w{k} " for k in range(400)
    )  # fmt: skip


def test_one_text_in_two_files_is_one_passage(tmp_path: Path) -> None:
    for name in ("a.md", "b.md"):
        (tmp_path / name).write_text("# Same\n\nThe same text.")
    assert [passage.id for passage in passages(tmp_path)] == ["a.md#1"]
