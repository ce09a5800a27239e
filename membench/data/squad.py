"""SQuAD, its answerable questions (Rajpurkar et al. 2016, 2018); `--data squad:FILE.json`, or a hub id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, zip_longest
from typing import Any

from membench.api import Source
from membench.data._distractors import fill_distractors
from membench.errors import MembenchError
from membench.io.hub import hub_rows
from membench.io.user_files import data_name, is_file_argument, read_json, want
from membench.values import Context, Dataset, Question

HUB_ID = "rajpurkar/squad"
QUESTIONS = 5  # of a context, at most


class Squad(Source):
    """Wikipedia paragraphs with questions; the argument is a file of SQuAD v1.1 or v2, or a hub id."""

    def load(self, argument: str, limit: int, held_out: int) -> Dataset:
        """Paragraphs spread over the articles: the first of every article, then the second of every article, and so on.

        Questions without an answer and paragraphs without a question are left out. Raises MembenchError with the place
        of a wrong record.
        """
        if argument and is_file_argument(argument):
            articles = list(_from_file(argument))
        else:
            articles = list(_from_hub(argument or HUB_ID))
        layers = chain.from_iterable(zip_longest(*articles))
        contexts = [context for context in layers if context is not None]
        if not contexts:
            raise MembenchError(f"{argument or HUB_ID}: no question has an answer")
        filled = fill_distractors(contexts, limit + held_out)
        return Dataset(data_name("squad", argument), filled[:limit], filled[limit:])


def _from_file(path: str) -> Iterator[list[Context]]:
    for i, article in enumerate(want(read_json(path), "data", list, path)):
        where = f"{path}: data[{i}]"
        contexts = []
        for j, paragraph in enumerate(want(article, "paragraphs", list, where)):
            place = f"{where}.paragraphs[{j}]"
            text = want(paragraph, "context", str, place)
            context = _context(f"squad-{i}-{j}", text, _qas(paragraph, place))
            if context.questions:
                contexts.append(context)
        yield contexts


def _qas(paragraph: dict[str, Any], place: str) -> Iterator[tuple[str, str, list[str]]]:
    """Id, text and answers of each answerable question of a paragraph (which may have none)."""
    qas = paragraph.get("qas")
    if not isinstance(qas, list):
        raise MembenchError(f"{place}: 'qas' must be a list")
    for k, qa in enumerate(qas):
        where = f"{place}.qas[{k}]"
        id_, question = want(qa, "id", str, where), want(qa, "question", str, where)
        if not qa.get("is_impossible"):
            answers = want(qa, "answers", list, where)
            yield id_, question, [want(answer, "text", str, f"{where}.answers") for answer in answers]


def _from_hub(name: str) -> Iterator[list[Context]]:
    paragraphs: dict[str, dict[str, list[tuple[str, str, list[str]]]]] = {}
    for number, row in enumerate(hub_rows(name, "validation"), 1):
        where = f"{name}, record {number}"
        title, text = want(row, "title", str, where), want(row, "context", str, where)
        answers = want(row, "answers", dict, where).get("text") or []
        if answers:
            qa = (want(row, "id", str, where), want(row, "question", str, where), answers)
            paragraphs.setdefault(title, {}).setdefault(text, []).append(qa)
    for i, article in enumerate(paragraphs.values()):
        yield [_context(f"squad-{i}-{j}", text, qas) for j, (text, qas) in enumerate(article.items())]


def _context(id_: str, text: str, qas: Iterable[tuple[str, str, list[str]]]) -> Context:
    questions = [
        Question(qa_id, question.strip(), tuple(dict.fromkeys(a.strip() for a in answers)), id_, tags={"kind": "test"})
        for qa_id, question, answers in qas
    ]
    return Context(id_, text.strip(), tuple(questions[:QUESTIONS]))
