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
        ids: dict[str, str] = {}  # by text: lines with one text are one context
        conflicts: dict[str, Context] = {}
        for where, row in read_jsonl(argument):
            earlier = contexts.get(ids.get(want(row, "context", str, where).strip(), ""))
            context = _context(row, f"c{len(contexts) + 1}", where, earlier)
            if context.id in contexts and earlier is None:
                raise MembenchError(f"{where}: the id {context.id!r} is taken by an earlier line")
            ids[context.text.strip()] = context.id
            if probed:
                context = replace(context, probes=probes(row, context, where, len(earlier.probes) if earlier else 0))
            contexts[context.id] = _joined(earlier, context) if earlier else context
            if probed and "conflict" in row:
                if context.id in conflicts:
                    raise MembenchError(f"{where}: an earlier line has a conflict for the same text: leave one out")
                conflicts[context.id] = conflict(row, context.id, where)
        filled = fill_distractors(tuple(contexts.values()), limit + held_out)
        kept = tuple(conflicts[c.id] for c in filled[:limit] if c.id in conflicts)
        return Dataset(data_name("jsonl", argument), filled[:limit], filled[limit:], kept, len(contexts))


def _joined(earlier: Context, later: Context) -> Context:
    """A context with what another line adds about its text."""
    return replace(
        earlier,
        questions=(*earlier.questions, *later.questions),
        targets=tuple(dict.fromkeys((*earlier.targets, *later.targets))),
        probes=(*earlier.probes, *later.probes),
    )


def _context(row: dict[str, Any], default_id: str, where: str, earlier: Context | None) -> Context:
    """The context of a line; its questions are numbered on from those of an earlier line with the same text."""
    own = want(row, "id", str, where) if "id" in row else default_id
    id_, text = (earlier.id, earlier.text) if earlier else (own, want(row, "context", str, where))
    first = len(earlier.questions) if earlier else 0
    questions = []
    for i, item in enumerate(want(row, "questions", list, where)):
        place = f"{where}: questions[{i}]"
        wrong = texts(item, "distractors", place) if isinstance(item, dict) and "distractors" in item else ()
        asked = want(item, "question", str, place)
        questions.append(Question(f"{id_}-{first + i}", asked, answers(item, place), id_, wrong, {"kind": "test"}))
    return Context(id_, text, tuple(questions), targets(row, where))
