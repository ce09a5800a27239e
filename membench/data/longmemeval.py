"""LongMemEval, questions over chats (Wu et al., ICLR 2025); `--data longmemeval:FILE.json`, or a hub id.

A file of the published form (`longmemeval_oracle.json`, `_s`, `_m`): a list of records with `question_id` (one that
ends in _abs is unanswerable), `question_type`, `question`, `answer`, `question_date`, `haystack_dates`,
`haystack_session_ids`, `haystack_sessions` (turns with `role` and `content`) and `answer_session_ids`. Source: the
README of github.com/xiaowu0162/LongMemEval. Its data sets on the hub have these files, in `longmemeval-cleaned` two of
them as `_s_cleaned.json` and `_m_cleaned.json`, in the older `longmemeval` without an ending.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

from membench.api import Source
from membench.corpora.sessions import ABSTENTION, Session, asked_on, recalled
from membench.data._chains import Row, records
from membench.data._golds import answers_of, gold_text
from membench.data._talks import dataset
from membench.errors import MembenchError
from membench.io.hub import NotFetched, hub_folder
from membench.io.user_files import data_name, is_file_argument, want
from membench.values import NOT_STATED, Composed, Context, Dataset, Question

TYPES = {
    "single-session-user": "single-session",
    "single-session-assistant": "single-session",
    "multi-session": "multi-session",
    "temporal-reasoning": "temporal",
    "knowledge-update": "update",
}
HISTORIES = ("s", "m", "oracle")  # as the published files are called: some 40 sessions, some 500, the evidence alone
PREFERENCE = "single-session-preference"  # its answers are rubrics for a judge, and match nothing
_DATE = re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})(?:\s*\(\w+\))?(?:\s+(\d{1,2}):(\d{2}))?")


class LongMemEval(Source):
    """A history of sessions for each question; the argument is a file or a hub id.

    Behind a hub id `:s` (the default), `:m` or `:oracle` says which of its files is read. Questions about preferences
    are left out.
    """

    def load(self, argument: str, limit: int, held_out: int) -> Dataset:
        """For other tasks a question's evidence sessions are one text."""
        return self.load_conversations(argument, limit, held_out)

    def load_conversations(self, argument: str, limit: int, held_out: int) -> Dataset:
        """One context a question, of each kind in turn. Raises MembenchError with file and record."""
        path = _file(argument)
        rows: dict[str, tuple[Question, Row]] = {}
        for row in records("longmemeval", path):
            if asked := _question(row):
                if asked.id in rows:
                    raise MembenchError(f"{row[0]}: the question id {asked.id!r} stands there twice")
                rows[asked.id] = asked, row
        bare = [Context(asked.id, "", (asked,)) for asked, _ in rows.values()]
        bare_id = argument if is_file_argument(argument) else argument.removesuffix(f":{HISTORIES[0]}")
        name = data_name("longmemeval", bare_id)
        return dataset(name, bare, limit, held_out, lambda context: _whole(context, *rows[context.id][1]))


def _file(argument: str) -> str:
    """The file that is read, of a hub id one of its files. Raises MembenchError where there is none such."""
    if not argument:
        raise MembenchError("longmemeval wants a file or a hub id: --data longmemeval:FILE.json (docs/data.md)")
    if is_file_argument(argument):
        return argument
    hub_id, _, history = argument.partition(":")
    if (history or HISTORIES[0]) not in HISTORIES or argument.endswith(":"):
        raise MembenchError(f"longmemeval:{argument}: want one of {', '.join(f'{hub_id}:{h}' for h in HISTORIES)}")
    files = [f"longmemeval_{history or HISTORIES[0]}{end}" for end in ("_cleaned.json", ".json", "")]
    folder = hub_folder(hub_id, files)
    for file in files:
        if (folder / file).is_file():
            return str(folder / file)
    raise NotFetched(
        f"the data set {hub_id!r} has no {' or '.join(files)} here: `hf download --repo-type dataset {hub_id}` fetches "
        "all of it",
        hub_id,
        "dataset",
    )


def _question(row: Row) -> Question | None:
    where, record = row
    type_, id_ = (want(record, key, str, where) for key in ("question_type", "question_id"))
    nothing = id_.endswith("_abs")
    if type_ == PREFERENCE and not nothing:
        return None
    if type_ not in TYPES and not nothing:
        raise MembenchError(f"{where}: unknown 'question_type' {type_!r}: want {', '.join([*TYPES, PREFERENCE])}")
    gold = "" if nothing else gold_text(record, where)
    asked = _when(want(record, "question_date", str, where), f"{where}: question_date")
    text = asked_on(asked, want(record, "question", str, where).strip())
    tags = {"kind": ABSTENTION if nothing else TYPES[type_], "type": type_}
    return Question(id_, text, NOT_STATED if nothing else answers_of(gold), id_, tags=tags)


def _whole(context: Context, where: str, record: Any) -> Composed:
    """The context with its history. Histories are long, and most are not asked for."""
    sessions = _sessions(context.id, record, where)
    named = record.get("answer_session_ids", [])
    wanted = {str(name) for name in named} if isinstance(named, list) else set()
    nothing = context.questions[0].tags["kind"] == ABSTENTION
    evidence = [s for s, name in sessions.items() if name in wanted] or (list(sessions)[-1:] if nothing else [])
    if not evidence:
        raise MembenchError(f"{where}: none of 'answer_session_ids' is among 'haystack_session_ids'")
    return recalled(context.id, evidence, context.questions, list(sessions))


def _sessions(id_: str, record: Any, where: str) -> dict[Session, str]:
    """The sessions of a record with their published ids, in the order of their dates."""
    names, dates, said = (want(record, f"haystack_{key}", list, where) for key in ("session_ids", "dates", "sessions"))
    if not len(names) == len(dates) == len(said):
        raise MembenchError(
            f"{where}: 'haystack_session_ids', 'haystack_dates' and 'haystack_sessions' differ in length"
        )
    found: dict[str, tuple[Session, str]] = {}
    for k, (name, date, turns) in enumerate(zip(names, dates, said, strict=True)):
        when, spoken = _when(date, f"{where}: haystack_dates[{k}]"), _turns(turns, f"{where}: session {k}")
        session = Session(f"{id_}/{name}", when, spoken)
        # The published histories repeat ids, with other dates: these are sessions of their own, told apart by place.
        while spoken and found.setdefault(session.id, (session, str(name)))[0] != session:
            session = replace(session, id=f"{session.id}#{k + 1}")
    return dict(sorted(found.values(), key=lambda pair: pair[0].when))


def _turns(turns: Any, where: str) -> tuple[tuple[str, str], ...]:
    """Who said what; turns without words are left out."""
    if not isinstance(turns, list):
        raise MembenchError(f"{where}: must be a list of turns")
    spoken = [turn for turn in turns if not (isinstance(turn, dict) and turn.get("content") == "")]
    return tuple((want(t, "role", str, where).capitalize(), want(t, "content", str, where)) for t in spoken)


def _when(text: Any, where: str) -> datetime:
    found = _DATE.fullmatch(text.strip()) if isinstance(text, str) else None
    try:
        if found:
            return datetime(*(int(part or 0) for part in found.groups()))  # type: ignore[arg-type]
    except ValueError:  # no such day
        pass
    raise MembenchError(f"{where}: {text!r} is no date such as 2023/05/20 (Sat) 02:21")
