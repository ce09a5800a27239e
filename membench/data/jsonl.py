"""Your own texts and questions, one JSON object a line (`--data jsonl:FILE`; docs/data.md has the format)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from membench.api import Source
from membench.data._distractors import fill_distractors
from membench.data._jsonl_lines import answers, conflict, probes, targets, texts
from membench.errors import MembenchError
from membench.io.user_files import data_name, read_jsonl, want
from membench.values import Context, Dataset, Question


class Jsonl(Source):
    """A file of your own; the argument is its path."""

    def load(self, argument: str, limit: int, held_out: int) -> Dataset:
        """Contexts in the order of the file; every line is checked, whatever the limit.

        Raises MembenchError "FILE:LINE: what is wrong".
        """
        return self._load(argument, limit, held_out, probed=False)

    def load_probed(self, argument: str, limit: int, held_out: int) -> Dataset:
        """The same contexts with the probes and conflicts that their lines hold (membench.data._jsonl_lines)."""
        return self._load(argument, limit, held_out, probed=True)

    def _load(self, argument: str, limit: int, held_out: int, probed: bool) -> Dataset:
        if not argument:
            raise MembenchError("jsonl wants a file: --data jsonl:FILE (docs/data.md has the format)")
        contexts: dict[str, Context] = {}
        conflicts: dict[str, Context] = {}
        for number, (where, row) in enumerate(read_jsonl(argument), 1):
            context = _context(row, f"c{number}", where)
            if context.id in contexts:
                raise MembenchError(f"{where}: the id {context.id!r} is taken by an earlier line")
            contexts[context.id] = replace(context, probes=probes(row, context, where)) if probed else context
            if probed and "conflict" in row:
                conflicts[context.id] = conflict(row, context.id, where)
        filled = fill_distractors(tuple(contexts.values()), limit + held_out)
        kept = tuple(conflicts[c.id] for c in filled[:limit] if c.id in conflicts)
        return Dataset(data_name("jsonl", argument), filled[:limit], filled[limit:], kept)


def _context(row: dict[str, Any], default_id: str, where: str) -> Context:
    id_ = want(row, "id", str, where) if "id" in row else default_id
    text = want(row, "context", str, where)
    questions = []
    for i, item in enumerate(want(row, "questions", list, where)):
        place = f"{where}: questions[{i}]"
        wrong = texts(item, "distractors", place) if isinstance(item, dict) and "distractors" in item else ()
        asked = want(item, "question", str, place)
        questions.append(Question(f"{id_}-{i}", asked, answers(item, place), id_, wrong, {"kind": "test"}))
    return Context(id_, text, tuple(questions), targets(row, where))
