"""Every question with every method's answers, as compact JSON that the page's script shows as text.

    {"strings": [...], "tables": [{"board", "score", "rows": [label, ...], "texts": {context: text},
     "questions": [QUESTION, ...]}, ...]}

QUESTION is [context, text, [gold, ...], [ANSWER, ...]]; ANSWER is [row, answer, score, first, last, held]: what came
back when `first` to `last` contexts had been written, and whether the question's own was one of them (1 or 0). Texts
are places in `strings`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from membench.imported.task import IMPORTED
from membench.report.board import Board, labels_of
from membench.report.shown_records import Shown
from membench.report.source_texts import Texts
from membench.tables.entry import Entry

LIMIT = 2_500_000  # bytes of all answers together
LONG = 2_000  # characters of one text that are kept where not all fits
Record = Mapping[str, Any]
NO_TEXTS: Mapping[str, Texts] = {}


@dataclass(frozen=True)
class Answers:
    """`text` is the JSON, safe inside a <script> element; `left_out` says what it lacks, a sentence each."""

    text: str
    count: int
    left_out: Sequence[str]


def answers_of(
    boards: Sequence[Board], shown: Shown, texts: Mapping[str, Texts] = NO_TEXTS, limit: int = LIMIT
) -> Answers:
    """The answers to all questions of these tables, as many as `limit` bytes hold; those of damaged files are left out.

    `texts` are those that the questions of each board are about, by the board's name; a missing one is not shown.

    What does not fit is given up in this order: the ends of long texts, answers between the first and the last one of a
    question, questions.
    """
    records = {i: [r for r in those if r["type"] == "answer"] for i, those in shown.records.items()}
    labels, why = labels_of(boards), "its records are damaged, and `membench verify` tells where"
    damaged = [f"The answers of {labels[i]} in cell {i} are missing: {why}." for i in shown.damaged]
    count = sum(map(len, records.values()))
    text = _json(boards, records, texts)
    if _size(text) <= limit:
        return Answers(text, count, damaged)
    said = []
    whole, text = text, _json(boards, records, texts, longest=LONG)
    if text != whole:
        said.append(f"texts end after {LONG:,} characters")
    if _size(text) > limit:
        records = {i: _first_and_last(those) for i, those in records.items()}
        text, fewer = _fewer(boards, records, texts, limit)
        said.append(fewer)
    small = f"To keep the page small, {'; '.join(said)}. `membench show CELL -L 0` prints all of a cell."
    return Answers(text, count, [*damaged, small])


def _fewer(
    boards: Sequence[Board], records: Mapping[str, Sequence[Record]], texts: Mapping[str, Texts], limit: int
) -> tuple[str, str]:
    """As many questions of each table as fit, halved until they do, and what to say of them."""
    kept = max((len({r["question"] for r in those}) for those in records.values()), default=0)
    text = _json(boards, records, texts, kept, LONG)
    said = "of each question only the answers just after its write and after the last one are here"
    while _size(text) > limit and kept:
        kept //= 2
        text = _json(boards, records, texts, kept, LONG)
        said = f"only the first {kept} questions of each table are here, with the answers after first and last write"
    return text, said if kept else "no question is here: not even one of each table fits"


def _first_and_last(records: Sequence[Record]) -> list[Record]:
    """Of each question in an episode, the first answer with its context held and the last one of all."""
    first: dict[tuple[str, str], Record] = {}
    last: dict[tuple[str, str], Record] = {}
    for record in records:
        key = (record["question"], record["episode"])
        if _held(record):
            first.setdefault(key, record)
        last[key] = record
    kept = {id(record) for record in (*first.values(), *last.values())}
    return [record for record in records if id(record) in kept]


def _size(text: str) -> int:
    """Bytes in the page."""
    return len(text.encode(errors="replace"))


def _json(
    boards: Sequence[Board],
    records: Mapping[str, Sequence[Record]],
    texts: Mapping[str, Texts],
    most: int | None = None,
    longest: int | None = None,
) -> str:
    """At most so many questions of each table, and so many characters of a text."""
    strings: dict[str, int] = {}

    def place(text: str) -> int:
        if longest is not None and len(text) > longest:
            text = f"{text[:longest]} … ({len(text) - longest:,} more characters)"
        return strings.setdefault(text, len(strings))

    tables = [_table(board, records, texts.get(board.name, {}), place, most) for board in boards]
    whole = {"strings": list(strings), "tables": tables}
    # An answer may hold "</script>" or "<!--"; without "<" no text ends the element or opens another one.
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _table(
    board: Board, records: Mapping[str, Sequence[Record]], texts: Texts, place: Callable[[str], int], most: int | None
) -> dict[str, Any]:
    rows = [(e, label, i) for e in board.table.entries for label, i in _labels(e) if i in records]
    asked = {r["question"] for e, _, i in rows if not e.mark for r in records[i]}
    questions: dict[str, list[Any]] = {}
    contexts: dict[str, None] = {}
    score = next((_score(r, board) for _, _, i in rows for r in records[i]), "")

    for row, (_, _, i) in enumerate(rows):
        for r in records[i]:
            if asked and r["question"] not in asked:
                continue
            if r["question"] not in questions:
                if most is not None and len(questions) >= most:
                    continue
                contexts[r["context"]] = None
                questions[r["question"]] = [place(r["context"]), place(r["text"]), [*map(place, r["gold"])], []]
            _add(questions[r["question"]][3], [row, place(r["answer"]), r["scores"].get(score)], r)
    beside = {place(c): place(texts[c]) for c in contexts if c in texts}
    return {
        "board": board.name, "score": score, "rows": [label for _, label, _ in rows], "texts": beside,
        "questions": list(questions.values()),
    }  # fmt: skip


def _labels(entry: Entry) -> list[tuple[str, str]]:
    """A label and an id for each of its cells; several seeds are told apart."""
    if len(entry.ids) < 2:
        return [(entry.label, i) for i in entry.ids]
    return [(f"{entry.label} seed {seed}", i) for seed, i in zip(entry.seeds, entry.ids, strict=True)]


def _add(answers: list[list[Any]], what: list[Any], record: Record) -> None:
    """The same answer again, with more written, makes the last one reach further."""
    written, held = record["written"], int(_held(record))
    last = answers[-1] if answers else None
    if last and last[:3] == what and last[5] == held and last[4] < written:
        last[4] = written
    else:
        answers.append([*what, written, written, held])


def _held(record: Record) -> bool:
    return bool(0 < record["position"] <= record["written"])


def _score(record: Record, board: Board) -> str:
    """The score that the page shows: contains, or what the task has in its place; of imported ones the first."""
    own = "contains" in record["scores"] and board.table.recipe["task"] != IMPORTED
    return "contains" if own else next(iter(record["scores"]), "")
