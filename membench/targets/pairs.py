"""Pairs of a question and its answer: read from replies and files, told apart, hashed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path

from membench.errors import MembenchError, standing_at
from membench.io.user_files import parse_json, read_text
from membench.targets import replies
from membench.text.words import words as every_word
from membench.values import Pair

_BOLD = re.compile(r"(?<![\w*])(\*{1,3})(?=[^\s*])([^*]*[^\s*])\1(?![\w*])")
_EDGE = re.compile(r"\A\*\*(?=[^*]+\Z)|(?<=[^*])\*\*\Z")  # one end of what was bold together with the label
_ABBREVIATED = re.compile(
    r"(?:^|\W)(?:(?:[^\W\d]{1,2}\.){2,}|(?:Inc|Ltd|Co|Corp|Bros|Jr|Sr|St|Mt|Dr|No|etc|al)\.)\Z|\.\.\Z"
)
_NOTHING = re.compile(r"[-–—.…_\s]*\Z")


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


def parse(reply: str, cut: bool = False) -> list[Pair]:
    """The pairs in a reply of a language model, in any usual form: JSON, labels (Q:/A:, 问/答), a list, a table.

    Of a reply that is `cut`, a pair that reaches its end is left out.
    """
    lines = replies.lines_of(reply)
    return (
        _usable(replies.from_json(reply), cut)
        or _usable(replies.from_labels(lines), cut)
        or _usable(replies.from_lines(lines), cut)
    )


def _usable(found: Iterable[replies.Found], cut: bool) -> list[Pair]:
    """Pairs with a question of words and an answer that is something, be it a sign."""
    pairs = [Pair(_clean(question), _clean_answer(answer)) for question, answer, last in found if not (cut and last)]
    return [pair for pair in pairs if words(pair.question) and not _NOTHING.match(pair.answer)]


def _clean(text: str) -> str:
    """On one line and without asterisks around it or its words; those within a word stay."""
    return " ".join(_EDGE.sub("", _BOLD.sub(r"\2", " ".join(text.split()))).split())


def _clean_answer(text: str) -> str:
    """Without the full stop of a sentence, which is not that of an abbreviation."""
    answer = _clean(text)
    if answer.endswith(("。", "।", "۔")) or (answer.endswith(".") and not _ABBREVIATED.search(answer)):
        return answer[:-1].rstrip()
    return answer


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
    with standing_at("recorded targets"):
        lines = read_text(str(path)).split("\n")
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
