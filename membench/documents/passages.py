"""Passages of documents: whole sections where they are short, else cut between sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from membench.documents.files import Section, documents
from membench.text.sentences import sentences
from membench.text.words import count_words, first_words

WORDS = 150  # of a passage, at most: about 200 tokens, as long as a paragraph of Wikipedia
ABOVE = " › "  # between the headings that stand above a passage


@dataclass(frozen=True)
class Passage:
    """A piece of a document: its place there, the headings above it, and its sentences."""

    id: str  # PATH#NUMBER
    title: str
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        """What is remembered: the headings on a line of their own, then the sentences."""
        return f"{self.title}\n{' '.join(self.sentences)}"


def passages(folder: Path) -> list[Passage]:
    """The passages of all documents of a folder, in order; one text that comes twice is kept once.

    Raises MembenchError as `membench.documents.files.documents`.
    """
    found: dict[str, Passage] = {}
    for path, sections in documents(folder).items():
        number = 0
        for section in sections:
            for part in _parts(section):
                number += 1
                passage = Passage(f"{path}#{number}", ABOVE.join(section.headings), tuple(part))
                found.setdefault(passage.text, passage)
    return list(found.values())


def _parts(section: Section) -> Iterator[list[str]]:
    """Runs of sentences with at most WORDS words, and a sentence that is longer cut there."""
    part: list[str] = []
    length = 0
    for sentence in (piece for paragraph in section.paragraphs for piece in _pieces(paragraph)):
        more = count_words(sentence)
        if part and length + more > WORDS:
            yield part
            part, length = [], 0
        part.append(sentence)
        length += more
    if part:
        yield part


def _pieces(paragraph: str) -> Iterator[str]:
    for sentence in sentences(paragraph):
        rest = sentence
        while count_words(rest) > WORDS:
            head = first_words(rest, WORDS)
            yield head
            rest = rest[len(head) :].strip()
        yield rest
