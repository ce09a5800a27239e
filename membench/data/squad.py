"""SQuAD, its answerable questions (Rajpurkar et al. 2016, 2018); `--data squad:FILE.json`, or a hub id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, zip_longest
from typing import Any, NamedTuple

from membench.api import Source
from membench.data._distractors import fill_distractors
from membench.errors import MembenchError
from membench.io.hub import hub_rows
from membench.io.user_files import data_name, is_file_argument, read_json, read_jsonl, want
from membench.values import NOT_STATED, Context, Dataset, Question

HUB_ID = "rajpurkar/squad"
QUESTIONS = 5  # of a context, at most


class Squad(Source):
    """Wikipedia paragraphs with questions; the argument is a file of SQuAD v1.1 or v2, or a hub id."""

    def load(self, argument: str, limit: int, held_out: int) -> Dataset:
        """Paragraphs spread over the articles: the first of every article, then the second of every article, and so on.

        Questions without an answer and paragraphs without a question are left out; paragraphs with one text are one.
        Raises MembenchError with the place of a wrong record, and of an id that an earlier question has.
        """
        data = self.load_probed(argument, limit, held_out)
        plain = [tuple(replace(c, probes=()) for c in those) for those in (data.contexts, data.held_out)]
        return Dataset(data.name, plain[0], plain[1])

    def load_probed(self, argument: str, limit: int, held_out: int) -> Dataset:
        """The same paragraphs, their questions without an answer (SQuAD v2) as probes of abstention."""
        paragraphs = _read(argument)
        layers = chain.from_iterable(zip_longest(*paragraphs))
        contexts = [context for context in layers if context is not None]
        if not contexts:
            raise MembenchError(f"{argument or HUB_ID}: no question has an answer")
        filled = fill_distractors(contexts, limit + held_out)
        return Dataset(data_name("squad", argument), filled[:limit], filled[limit:])


class _Asked(NamedTuple):
    id: str
    text: str
    answers: list[str]  # none: the paragraph does not answer it


Article = dict[str, list[_Asked]]  # the questions about each text


def _read(argument: str) -> list[list[Context]]:
    if not argument or not is_file_argument(argument):
        name = argument or HUB_ID
        rows = ((f"{name}, record {n}", row) for n, row in enumerate(hub_rows(name, "validation"), 1))
        return _contexts(_of_rows(rows))
    if argument.endswith(".jsonl"):
        return _contexts(_of_rows(read_jsonl(argument)))
    root = read_json(argument)
    if isinstance(root, list):
        return _contexts(_of_rows((f"{argument}: record {n}", row) for n, row in enumerate(root, 1)))
    return _contexts(_published(want(root, "data", list, argument), argument))


def _published(articles: list[Any], path: str) -> list[Article]:
    """The form of the published files; a text that comes again brings its questions to where it came first."""
    found: list[Article] = []
    first: dict[str, list[_Asked]] = {}
    seen: dict[str, str] = {}
    for i, article in enumerate(articles):
        where = f"{path}: data[{i}]"
        found.append({})
        for j, paragraph in enumerate(want(article, "paragraphs", list, where)):
            place = f"{where}.paragraphs[{j}]"
            if isinstance(paragraph, dict) and not str(paragraph.get("context", "-")).strip():
                continue
            text = want(paragraph, "context", str, place).strip()
            qas = paragraph.get("qas")
            if not isinstance(qas, list):
                raise MembenchError(f"{place}: 'qas' must be a list")
            if text not in first:
                first[text] = found[-1][text] = []
            first[text] += _asked(((f"{place}.qas[{k}]", f"squad-{i}-{j}-{k}", qa) for k, qa in enumerate(qas)), seen)
    return found


def _of_rows(rows: Iterable[tuple[str, Any]]) -> list[Article]:
    """Rows of a question each, as `datasets` has them."""
    articles: dict[str, Article] = {}
    first: dict[str, list[_Asked]] = {}
    seen: dict[str, str] = {}
    for n, (where, row) in enumerate(rows):
        text = want(row, "context", str, where).strip()
        title = str(row.get("title", ""))
        if text not in first:
            first[text] = articles.setdefault(title, {})[text] = []
        first[text] += _asked([(where, f"squad-row-{n}", row)], seen)
    return list(articles.values())


def _asked(records: Iterable[tuple[str, str, Any]], seen: dict[str, str]) -> Iterator[_Asked]:
    """The questions of records, given with their place and the id of one without; blank questions are left out."""
    for where, default, qa in records:
        if isinstance(qa, dict) and isinstance(qa.get("question"), str) and not qa["question"].strip():
            continue
        question, id_ = want(qa, "question", str, where).strip(), qa.get("id", default)
        if isinstance(id_, bool) or not isinstance(id_, (str, int)) or not str(id_).strip():
            raise MembenchError(f"{where}: 'id' must be a text or a whole number")
        if str(id_) in seen:
            raise MembenchError(f"{where}: the id {str(id_)!r} is taken by {seen[str(id_)]}: give it another")
        seen[str(id_)] = where
        yield _Asked(str(id_), question, [] if qa.get("is_impossible") else _answers(qa, where))


def _answers(qa: dict[str, Any], where: str) -> list[str]:
    """The accepted answers: a list of {"text": …}, or lists side by side in one object."""
    answers = qa.get("answers")
    texts = answers.get("text") if isinstance(answers, dict) else answers
    if not isinstance(texts, list):
        raise MembenchError(f"{where}: 'answers' must be a list")
    if isinstance(answers, list):
        place = f"{where}.answers"
        texts = ["" if _is_blank(answer) else want(answer, "text", str, place) for answer in texts]
    if not all(isinstance(text, str) for text in texts):
        raise MembenchError(f"{where}.answers: 'text' must be a list of texts")
    return list(dict.fromkeys(text.strip() for text in texts if text.strip()))


def _is_blank(answer: object) -> bool:
    text = answer.get("text") if isinstance(answer, dict) else None
    return isinstance(text, str) and not text.strip()


def _contexts(articles: Sequence[Article]) -> list[list[Context]]:
    """Those with an answerable question, at most QUESTIONS of them; the others are probes."""
    out = []
    for i, article in enumerate(articles):
        made = (_context(f"squad-{i}-{j}", text, asked) for j, (text, asked) in enumerate(article.items()))
        out.append([context for context in made if context.questions])
    return out


def _context(id_: str, text: str, asked: Iterable[_Asked]) -> Context:
    asked = list(asked)
    kinds = [
        tuple(Question(q.id, q.text, tuple(q.answers) or NOT_STATED, id_, tags={"kind": kind}) for q in those)
        for kind, those in (
            ("test", [q for q in asked if q.answers]),
            ("unanswerable", [q for q in asked if not q.answers]),
        )
    ]
    return Context(id_, text, kinds[0][:QUESTIONS], probes=kinds[1][:QUESTIONS])
