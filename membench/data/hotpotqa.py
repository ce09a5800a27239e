"""HotpotQA, its bridge questions (Yang et al., EMNLP 2018); `--data hotpotqa:FILE.json`.

A file of the published form: a list of records with `_id` (or `id`), `question`, `answer`, `type`, `supporting_facts`
([title, number of a sentence] each) and `context` ([title, sentences] each); or with the last two as objects of lists
side by side, as `datasets` has them. Source: the README of github.com/hotpotqa/hotpot and the data set's card.
"""

from __future__ import annotations

from typing import Any

from membench.api import Source
from membench.corpora.chains import LINKED
from membench.data._chains import Row, chain, dataset
from membench.errors import MembenchError
from membench.io.user_files import want
from membench.text.mentions import names
from membench.values import Composed, Dataset, Question


class HotpotQA(Source):
    """Questions over two paragraphs of Wikipedia; the argument is a file. Comparisons have no chain and are left out.

    Written are the two supporting paragraphs alone. No hop is asked alone, as the data have no questions for it.
    """

    def load(self, argument: str, limit: int, held_out: int) -> Dataset:
        """For other tasks a question's two paragraphs are one text."""
        return self.load_chains(argument, limit, held_out)

    def load_chains(self, argument: str, limit: int, held_out: int) -> Dataset:
        """One chain a question, the paragraph that names the answer last. Raises MembenchError with file and record."""
        return dataset("hotpotqa", argument, limit, held_out, _chain)


def _chain(row: Row) -> Composed | None:
    where, record = row
    if want(record, "type", str, where) != "bridge":
        return None
    id_ = want(record, "_id" if "_id" in record else "id", str, where)
    question, answer = (want(record, key, str, where).strip() for key in ("question", "answer"))
    facts = _pairs(record, "supporting_facts", ("title", "sent_id"), where)
    paragraphs = {title: sentences for title, sentences in _pairs(record, "context", ("title", "sentences"), where)}
    titles = list(dict.fromkeys(title for title, _ in facts))
    lost = [title for title in titles if not isinstance(paragraphs.get(title), list)]
    if lost or len(titles) < 2:
        what = f"no paragraph has the title {lost[0]!r}" if lost else "'supporting_facts' name fewer than two titles"
        raise MembenchError(f"{where}: {what}")
    texts = [(title, "".join(map(str, paragraphs[title]))) for title in titles]
    texts.sort(key=lambda text: names(text[1], answer))  # those that do not name it first
    asked = Question(id_, question, (answer,), id_, tags={"kind": LINKED})
    return chain(id_, texts, (asked,))


def _pairs(record: dict[str, Any], key: str, sides: tuple[str, str], where: str) -> list[tuple[str, Any]]:
    """A list of pairs, or an object of two lists side by side."""
    value = record.get(key)
    if isinstance(value, dict):
        left, right = (want(value, side, list, f"{where}: {key!r}") for side in sides)
        value = list(zip(left, right, strict=False))
    fits = isinstance(value, list) and all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in value)
    if not fits or not value or not all(isinstance(pair[0], str) for pair in value):
        raise MembenchError(f"{where}: {key!r} must be a list of [{sides[0]}, {sides[1]}]")
    return [(pair[0], pair[1]) for pair in value]
