"""What readers of questions over several texts share: their contexts, and rivals among those that are written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from membench.corpora.chains import LINKED
from membench.data._distractors import coarse_type, fill_distractors
from membench.errors import MembenchError
from membench.io.user_files import data_name, is_file_argument, read_json, read_jsonl, read_text
from membench.text.digest import digest
from membench.text.mentions import same
from membench.values import Composed, Context, Dataset, Part, Question

Row = tuple[str, Any]  # with its place


def records(source: str, argument: str) -> Iterable[Row]:
    """The records of a file, a JSON list or JSON lines, each with its place. Raises MembenchError."""
    if not argument or not is_file_argument(argument):
        raise MembenchError(f"{source} wants a file: --data {source}:FILE.json (docs/data.md)")
    if not read_text(argument).lstrip().startswith("["):
        return read_jsonl(argument)
    return [(f"{argument}: record {n}", row) for n, row in enumerate(read_json(argument), 1)]


def dataset(source: str, argument: str, limit: int, held_out: int, read: Callable[[Row], Composed | None]) -> Dataset:
    """The chains of a file in its order, with distractors. Raises MembenchError where none is left."""
    found = [chain for row in records(source, argument) if (chain := read(row))]
    if not found:
        raise MembenchError(f"{argument}: no question takes several texts")
    filled = fill_distractors(found, limit + held_out)
    return Dataset(data_name(source, argument), _rivalled(filled[:limit]), filled[limit:])


def chain(id_: str, texts: Sequence[tuple[str, str]], questions: Sequence[Question]) -> Composed:
    """The context of a question; `texts` are titles and texts in the order of its hops. Equal texts are one part."""
    told = [f"{title.strip()}: {text.strip()}" for title, text in texts]
    names = [f"text-{digest(text)[:12]}" for text in told]
    parts = [Part(name, text, ()) for name, text in zip(names, told, strict=True)]
    parts[-1] = replace(parts[-1], completes=(id_,))
    return Composed(id_, "\n\n".join(dict.fromkeys(told)), tuple(questions), parts=tuple(parts))


def _rivalled(chains: Sequence[Context]) -> tuple[Context, ...]:
    """The chains, each linked question with the answer of another one, of its coarse type, as its tag `rival`."""
    linked = [q for c in chains for q in c.questions if q.tags["kind"] == LINKED]
    return tuple(replace(c, questions=tuple(_with_rival(q, linked) for q in c.questions)) for c in chains)


def _with_rival(question: Question, linked: Sequence[Question]) -> Question:
    if question.tags["kind"] != LINKED:
        return question
    own = coarse_type(question.answers[0])
    place = linked.index(question)
    for other in (*linked[place + 1 :], *linked[:place]):
        answer = other.answers[0]
        if coarse_type(answer) == own and not any(same(answer, gold) for gold in question.answers):
            wrong = tuple(dict.fromkeys((answer, *question.distractors)))
            return replace(question, distractors=wrong, tags={**question.tags, "rival": answer})
    return question
