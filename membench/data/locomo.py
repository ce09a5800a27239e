"""LoCoMo, long conversations of two friends (Maharana et al., ACL 2024); `--data locomo:FILE.json[+ERRATA.json]`.

A file of the published form (`locomo10.json`): a list of records with `sample_id`, `conversation` (`session_1`, turns
with `speaker`, `dia_id`, `text` and perhaps `blip_caption`, and `session_1_date_time`, and so on) and `qa` (`question`,
`answer`, `evidence`, `category`; of category 5 `adversarial_answer`). Source: github.com/snap-research/locomo.

The published answers have known errors (issue 27 there). An errata file is a JSON list of `sample_id`, `question` as
published and the `answer` that is right, perhaps with `evidence`; an answer of null leaves the question out.
"""

from __future__ import annotations

import os
import re
from datetime import datetime
from typing import Any

from membench.api import Source
from membench.corpora.sessions import ABSTENTION, Session, asked_on, recalled
from membench.data._chains import records
from membench.data._golds import answers_of, gold_text
from membench.data._talks import dataset
from membench.errors import MembenchError
from membench.io.user_files import data_name, want
from membench.values import NOT_STATED, Composed, Dataset, Question

# What each category's number stands for; the numbers are what is published, names differ among those who use them.
CATEGORIES = {1: "multi-session", 2: "temporal", 3: "open-domain", 4: "single-session", 5: ABSTENTION}
Errata = dict[tuple[str, str], tuple[str, dict[str, Any]]]  # by conversation and question: its place and itself
_EVIDENCE = re.compile(r"D:?(\d+):\d+")
_DATE = re.compile(r"(\d{1,2}):(\d{2})\s*([ap])m on (\d{1,2}) (\w+),? (\d{4})", re.IGNORECASE)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class LoCoMo(Source):
    """Ten conversations with about two hundred questions each; the argument is a file, an errata file behind a `+`."""

    def load(self, argument: str, limit: int, held_out: int) -> Dataset:
        """For other tasks the evidence sessions of a context are one text."""
        return self.load_conversations(argument, limit, held_out)

    def load_conversations(self, argument: str, limit: int, held_out: int) -> Dataset:
        """One context for each set of evidence sessions, conversation by conversation, of each kind in turn.

        Questions are asked on the day of the last session. Raises MembenchError with file and record.
        """
        path, plus, extra = argument.rpartition("+")
        if not plus or os.path.exists(argument):
            path, extra = argument, ""
        errata = _errata(extra) if extra else {}
        found = records("locomo", path)
        used: set[tuple[str, str]] = set()
        contexts = [c for where, record in found for c in _contexts(record, where, errata, used)]
        if unused := [key for key in errata if key not in used]:
            where, item = errata[unused[0]]
            raise MembenchError(f"{where}: no question {item['question']!r} of {item['sample_id']!r} is left in {path}")
        name = data_name("locomo", path) + (f"+{os.path.basename(extra)}" if extra else "")
        return dataset(name, contexts, limit, held_out)


def _errata(path: str) -> Errata:
    found: Errata = {}
    for where, item in records("locomo", path):
        key = want(item, "sample_id", str, where), want(item, "question", str, where).strip()
        if "answer" not in item:
            raise MembenchError(f"{where}: 'answer' is missing: give the right one, or null to leave the question out")
        if key in found:
            raise MembenchError(f"{where}: question {key[1]!r} of {key[0]!r} stands there twice")
        found[key] = where, item
    return found


def _contexts(record: Any, where: str, errata: Errata, used: set[tuple[str, str]]) -> list[Composed]:
    """The contexts of a conversation; errata that say something of a question in it are noted as used."""
    name = want(record, "sample_id", str, where)
    sessions = _sessions(name, want(record, "conversation", dict, where), where)
    asked: dict[tuple[int, ...], list[Question]] = {}
    for k, published in enumerate(want(record, "qa", list, where)):
        place = f"{where}: qa[{k}]"
        key = name, str(want(published, "question", str, place)).strip()
        _, right = errata.get(key, ("", {}))
        used.add(key)
        item = {**published, **right}
        evidence = _evidence(item, sessions, place)
        if evidence and item.get("answer", "") is not None:
            asked.setdefault(evidence, []).append(_question(f"{name}-{k}", item, max(sessions), sessions, place))
    every = list(sessions.values())
    made = []
    for evidence, questions in asked.items():
        id_ = f"{name}-D{'-D'.join(map(str, evidence))}"
        about = [Question(q.id, q.text, q.answers, id_, q.distractors, q.tags) for q in questions]
        made.append(recalled(id_, [sessions[number] for number in evidence], about, every))
    return made


def _sessions(name: str, said: dict[str, Any], where: str) -> dict[int, Session]:
    """The sessions by their numbers, those without a turn left out."""
    numbers = sorted(int(key[8:]) for key in said if re.fullmatch(r"session_\d+", key) and said[key])
    found = {}
    for number in numbers:
        key = f"session_{number}"
        when = _when(want(said, f"{key}_date_time", str, where), f"{where}: {key}_date_time")
        turns = [_turn(turn, f"{where}: {key}[{k}]") for k, turn in enumerate(want(said, key, list, where))]
        found[number] = Session(f"{name}/{key}", when, tuple(turns))
    if not found:
        raise MembenchError(f"{where}: 'conversation' has no session_1")
    return found


def _turn(turn: Any, where: str) -> tuple[str, str]:
    """Who said what; of a picture its caption."""
    speaker, text = want(turn, "speaker", str, where), turn.get("text", "")
    seen = f" [shows a picture: {turn['blip_caption']}]" if turn.get("blip_caption") else ""
    if not isinstance(text, str) or not (text + seen).strip():
        raise MembenchError(f"{where}: 'text' must be a text")
    return speaker, (text + seen).strip()


def _evidence(item: dict[str, Any], sessions: dict[int, Session], where: str) -> tuple[int, ...]:
    """The numbers of the sessions that are needed; of an unanswerable question without any the last one's."""
    listed = item.get("evidence", [])
    if not isinstance(listed, list):
        raise MembenchError(f"{where}: 'evidence' must be a list such as [\"D1:3\"]")
    found = sorted({int(number) for text in listed for number in _EVIDENCE.findall(str(text))} & sessions.keys())
    return tuple(found) or ((max(sessions),) if item.get("category") == 5 else ())


def _question(id_: str, item: dict[str, Any], last: int, sessions: dict[int, Session], where: str) -> Question:
    category = item.get("category")
    if type(category) is not int or category not in CATEGORIES:
        raise MembenchError(f"{where}: 'category' must be a number from 1 to 5, got {category!r}")
    text = asked_on(sessions[last].when, want(item, "question", str, where).strip())
    tags = {"kind": CATEGORIES[category], "category": str(category)}
    if category == 5:
        trap = str(item.get("adversarial_answer") or "").strip()
        more = {"leak": trap} if trap else {}
        return Question(id_, text, NOT_STATED, "", (trap,) if trap else (), tags | more)
    answer = gold_text(item, where)
    # Of category 3 what stands behind a semicolon is why, as the published score has it.
    gold = (answer.partition(";")[0].strip() or answer) if category == 3 else answer
    return Question(id_, text, answers_of(gold), "", tags=tags)


def _when(text: str, where: str) -> datetime:
    found = _DATE.fullmatch(text.strip())
    try:
        if found:
            hour = int(found[1]) % 12 + 12 * (found[3].lower() == "p")
            month = _MONTHS.index(found[5][:3].lower()) + 1
            return datetime(int(found[6]), month, int(found[4]), hour, int(found[2]))
    except ValueError:  # no such day or month
        pass
    raise MembenchError(f"{where}: {text!r} is no date such as 1:56 pm on 8 May, 2023")
