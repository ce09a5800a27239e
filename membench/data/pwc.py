"""Prompt-with-context, the short answers (Ge et al., ICLR 2024); `--data pwc:FILE.jsonl`, or a hub id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from membench.api import Source
from membench.data._distractors import fill_distractors
from membench.errors import MembenchError
from membench.io.hub import hub_rows
from membench.io.user_files import data_name, is_file_argument, read_jsonl, want
from membench.text.words import count_words
from membench.values import Context, Dataset, Question

HUB_ID = "sggetao/PwC"
# SELF-PARAM's released code keeps answers of at most 5 tokens of one model's tokenizer; words depend on no model.
MAX_ANSWER_WORDS = 5


class Pwc(Source):
    """Web texts with prompts and short answers; the argument is a .jsonl file or a hub id (its test split)."""

    def load(self, argument: str, limit: int, held_out: int) -> Dataset:
        """Contexts in stored order: rows with one `input` form a context.

        As in SELF-PARAM's released code (Wang et al., ICLR 2025), rows with a long answer or with "above text" in the
        prompt are left out, and the mark `<s>` is removed. Raises MembenchError with the place of a wrong row.
        """
        local = bool(argument) and is_file_argument(argument)
        rows = read_jsonl(argument) if local else _from_hub(argument or HUB_ID)
        contexts = _contexts(rows)
        if not contexts:
            raise MembenchError(f"{argument or HUB_ID}: no answer has {MAX_ANSWER_WORDS} words or fewer")
        filled = fill_distractors(contexts, limit + held_out)
        return Dataset(data_name("pwc", argument), filled[:limit], filled[limit:])


def _from_hub(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, row in enumerate(hub_rows(name, "test"), 1):
        yield f"{name}, record {number}", row


def _contexts(rows: Iterable[tuple[str, dict[str, Any]]]) -> list[Context]:
    contexts = []
    groups: dict[str, list[tuple[str, str, str]]] = {}
    for row in _short(rows):
        groups.setdefault(row[0], []).append(row)
    for number, (text, group) in enumerate(groups.items()):
        id_ = f"pwc-{number}"
        questions = [
            Question(f"{id_}-{i}", prompt, (answer,), id_, tags={"kind": "test"})
            for i, (_, prompt, answer) in enumerate(group)
        ]
        contexts.append(Context(id_, text, tuple(questions)))
    return contexts


def _short(rows: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[tuple[str, str, str]]:
    """Input, prompt and answer of the rows that are kept."""
    for where, row in rows:
        text, prompt, answer = (_clean(want(row, key, str, where)) for key in ("input", "prompt", "answer"))
        if answer and count_words(answer) <= MAX_ANSWER_WORDS and "above text" not in prompt:
            yield text, prompt, answer


def _clean(text: str) -> str:
    return text.replace("<s>", "").strip()
