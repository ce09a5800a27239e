"""Your own texts and questions, one JSON object a line (`--data jsonl:FILE`; docs/data.md has the format)."""

from __future__ import annotations

from typing import Any

from membench.api import Context, Dataset, Pair, Question, Source
from membench.distractors import fill_distractors
from membench.errors import MembenchError
from membench.textfiles import data_name, read_jsonl, want


class Jsonl(Source):
    """A file of your own; the argument is its path."""

    def load(self, argument: str, limit: int, held_out: int) -> Dataset:
        """Contexts in the order of the file; every line is checked, whatever the limit.

        Raises MembenchError "FILE:LINE: what is wrong".
        """
        if not argument:
            raise MembenchError("jsonl wants a file: --data jsonl:FILE (docs/data.md has the format)")
        contexts: dict[str, Context] = {}
        for number, (where, row) in enumerate(read_jsonl(argument), 1):
            context = _context(row, f"c{number}", where)
            if context.id in contexts:
                raise MembenchError(f"{where}: the id {context.id!r} is taken by an earlier line")
            contexts[context.id] = context
        filled = fill_distractors(tuple(contexts.values()), limit + held_out)
        return Dataset(data_name("jsonl", argument), filled[:limit], filled[limit:])


def _context(row: dict[str, Any], default_id: str, where: str) -> Context:
    id_ = want(row, "id", str, where) if "id" in row else default_id
    text = want(row, "context", str, where)
    questions = []
    for i, item in enumerate(want(row, "questions", list, where)):
        place = f"{where}: questions[{i}]"
        wrong = _texts(item, "distractors", place) if isinstance(item, dict) and "distractors" in item else ()
        asked = want(item, "question", str, place)
        questions.append(Question(f"{id_}-{i}", asked, _answers(item, place), id_, wrong, {"kind": "test"}))
    targets = want(row, "targets", list, where) if "targets" in row else []
    pairs = []
    for i, item in enumerate(targets):
        place = f"{where}: targets[{i}]"
        pairs.append(Pair(want(item, "question", str, place), want(item, "answer", str, place)))
    return Context(id_, text, tuple(questions), tuple(pairs))


def _answers(item: dict[str, Any], where: str) -> tuple[str, ...]:
    """The accepted answers: a list `answers`, or one text `answer`."""
    if "answers" in item:
        return _texts(item, "answers", where)
    if "answer" in item:
        return (want(item, "answer", str, where),)
    raise MembenchError(f"{where}: 'answers' is missing")


def _texts(item: dict[str, Any], key: str, where: str) -> tuple[str, ...]:
    texts = want(item, key, list, where)
    for text in texts:
        if not isinstance(text, str) or not text.strip():
            raise MembenchError(f"{where}: {key!r} must be a list of texts, none of them empty")
    return tuple(texts)
