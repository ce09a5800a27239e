"""Pairs of a question and its answer: read from replies and files, told apart, hashed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from membench.errors import MembenchError
from membench.io.user_files import parse_json
from membench.text.words import words as every_word
from membench.values import Pair

if TYPE_CHECKING:
    pass


_PAIR = re.compile(
    r"\bQ(?:uestion)?[ \t]*\d*[ \t]*:\s*(?P<question>[^\n]+?)\s*\bA(?:nswer)?[ \t]*\d*[ \t]*:[ \t]*"
    r"(?P<answer>[^\n]+?)[ \t]*(?=\n|\bQ(?:uestion)?[ \t]*\d*[ \t]*:|\Z)",
    re.IGNORECASE,
)


def prompt_hash(*parts: object) -> str:
    """What identifies the wording that a writer works with."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def words(text: str) -> list[str]:
    """Words without punctuation and articles, for comparing texts."""
    return [word for word in every_word(text) if word not in ("a", "an", "the")]


def holds(text: str, phrase: str) -> bool:
    """Whether a text has the words of a phrase in a row; an empty phrase is in no text."""
    inner = " ".join(words(phrase))
    return bool(inner) and f" {inner} " in f" {' '.join(words(text))} "


def beginning(text: str) -> str:
    """The first words of a passage, for messages."""
    flat = " ".join(text.split())
    return repr(flat if len(flat) <= 40 else f"{flat[:40]}…")


def parse(reply: str) -> list[Pair]:
    """The pairs in a reply: `Q:`/`Question:` and `A:`/`Answer:`, numbered, in bold, on one line or on two."""
    plain = reply.replace("*", "").replace("\r", "")
    return [
        Pair(" ".join(match["question"].split()), " ".join(match["answer"].split()).rstrip("."))
        for match in _PAIR.finditer(plain)
        if words(match["question"]) and words(match["answer"])
    ]


def distinct(pairs: Iterable[Pair]) -> list[Pair]:
    """The pairs without those that repeat an earlier question."""
    first: dict[tuple[str, ...], Pair] = {}
    for pair in pairs:
        first.setdefault(tuple(words(pair.question)), pair)
    return list(first.values())


def recorded_pairs(path: Path) -> dict[str, tuple[Pair, ...]]:
    """The pairs of a file by passage, one JSON object a line: {"context": …, "pairs": [{"question": …, "answer": …}]}.

    Raises MembenchError with path and line for a file that is missing, empty or broken.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise MembenchError(f"cannot read recorded targets {path}: {reason}") from error
    book: dict[str, tuple[Pair, ...]] = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            context, pairs = _recorded(line, f"{path}:{number}")
            if context in book:
                raise MembenchError(f"{path}:{number}: this context has a line above already: put its pairs into one")
            book[context] = pairs
    if not book:
        raise MembenchError(f"{path}: no recorded targets in it")
    return book


def _recorded(line: str, where: str) -> tuple[str, tuple[Pair, ...]]:
    path, _, number = where.rpartition(":")
    row = parse_json(line, path, int(number))
    context, pairs = (row.get("context"), row.get("pairs")) if isinstance(row, dict) else (None, None)
    if not isinstance(context, str) or not isinstance(pairs, list) or not pairs:
        raise MembenchError(f'{where}: wants {{"context": text, "pairs": [{{"question": text, "answer": text}}, …]}}')
    return context, tuple(read_pair(pair, where) for pair in pairs)


def read_pair(row: object, where: str) -> Pair:
    """A pair from JSON. Raises MembenchError that begins with `where` if it is none."""
    fields = [row.get(name) for name in ("question", "answer")] if isinstance(row, dict) else []
    texts = [field for field in fields if isinstance(field, str) and field.strip()]
    if len(texts) != 2:
        raise MembenchError(f'{where}: a pair wants "question" and "answer", both text, and not empty')
    return Pair(texts[0], texts[1])
