"""MuSiQue, questions composed of single hops (Trivedi et al., TACL 2022); `--data musique:FILE.jsonl`.

A file of the published form, JSON lines with `id`, `question`, `answer`, `answer_aliases`, `answerable`, `paragraphs`
(`idx`, `title`, `paragraph_text`) and `question_decomposition`: the hops, each with `question`, where #1 stands for the
first one's answer, `answer` and `paragraph_support_idx`. Source: github.com/stonybrooknlp/musique.
"""

from __future__ import annotations

import re
from typing import Any

from membench.api import Source
from membench.corpora.chains import HOP, LINKED, hops_tag
from membench.data._chains import Row, chain, dataset
from membench.errors import MembenchError
from membench.io.user_files import want
from membench.values import Composed, Dataset, Question

_EARLIER = re.compile(r"#(\d+)")


class MuSiQue(Source):
    """Questions over two to four paragraphs, with their hops; the argument is a file.

    Written are the supporting paragraphs alone. Questions without an answer (of the full version) are left out.
    """

    def load(self, argument: str, limit: int, held_out: int) -> Dataset:
        """For other tasks a question's paragraphs are one text."""
        return self.load_chains(argument, limit, held_out)

    def load_chains(self, argument: str, limit: int, held_out: int) -> Dataset:
        """One chain a question, its paragraphs in the order of the hops. Raises MembenchError with file and line."""
        return dataset("musique", argument, limit, held_out, _chain)


def _chain(row: Row) -> Composed | None:
    where, record = row
    if isinstance(record, dict) and record.get("answerable") is False:
        return None
    id_, question, answer = (want(record, key, str, where).strip() for key in ("id", "question", "answer"))
    aliases = record.get("answer_aliases", [])
    if not isinstance(aliases, list) or not all(isinstance(alias, str) for alias in aliases):
        raise MembenchError(f"{where}: 'answer_aliases' must be a list of texts")
    accepted = tuple(dict.fromkeys((answer, *(alias.strip() for alias in aliases if alias.strip()))))
    steps = want(record, "question_decomposition", list, where)
    listed = want(record, "paragraphs", list, where)
    paragraphs = {p["idx"]: p for p in listed if isinstance(p, dict) and isinstance(p.get("idx"), int)}
    texts, hops, answers = [], [], []
    for n, step in enumerate(steps, 1):
        place = f"{where}: question_decomposition[{n - 1}]"
        texts.append(_text(step, paragraphs, place))
        answers.append(want(step, "answer", str, place).strip())
        gold = accepted if n == len(steps) else (answers[-1],)
        tags = {"kind": HOP, "hop": str(n)}
        hops.append(Question(f"{id_}-hop-{n}", _hop(step, answers, place), gold, id_, tags=tags))
    if len(steps) < 2:
        raise MembenchError(f"{where}: 'question_decomposition' has one hop: want two or more")
    asked = Question(id_, question, accepted, id_, tags={"kind": LINKED, "hops": hops_tag(hop.id for hop in hops)})
    return chain(id_, texts, (asked, *hops))


def _text(step: Any, paragraphs: dict[int, Any], where: str) -> tuple[str, str]:
    number = step.get("paragraph_support_idx") if isinstance(step, dict) else None
    if not isinstance(number, int) or number not in paragraphs:
        raise MembenchError(f"{where}: 'paragraph_support_idx' is {number!r}, and no paragraph has that 'idx'")
    paragraph = paragraphs[number]
    return want(paragraph, "title", str, where), want(paragraph, "paragraph_text", str, where)


def _hop(step: Any, answers: list[str], where: str) -> str:
    """A hop's question with the answers of earlier ones in it; "Green >> performer" is worded as a question."""
    text = want(step, "question", str, where).strip()

    def earlier(found: re.Match[str]) -> str:
        number = int(found[1])
        if not 0 < number < len(answers):
            raise MembenchError(f"{where}: {found[0]} in 'question' names no earlier hop")
        return answers[number - 1]

    text = _EARLIER.sub(earlier, text)
    subject, arrow, relation = text.partition(">>")
    return f"What is the {relation.strip()} of {subject.strip()}?" if arrow else text
