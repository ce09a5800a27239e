"""Every question with every method's answers, as compact JSON that the page's script shows as text.

    {"strings": [...], "tables": [{"title", "score", "rows": [label, ...], "questions": [QUESTION, ...]}, ...]}

QUESTION is [context, text, [gold, ...], [ANSWER, ...]]; ANSWER is [row, answer, score, first, last, held]: what came
back when `first` to `last` contexts had been written, and whether the question's own was one of them (1 or 0). Texts
are places in `strings`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from membench.entry import Entry
from membench.records import read_records
from membench.report.boards import Board
from membench.store import Cell

LIMIT = 2_500_000  # bytes of all answers together
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Answers:
    """`text` is the JSON, safe inside a <script> element; `left_out` says what did not fit, in a sentence."""

    text: str
    count: int
    left_out: str


def answers_of(boards: Sequence[Board], cells: Iterable[Cell], limit: int = LIMIT) -> Answers:
    """The answers to all questions of these tables, as many as `limit` bytes hold. Raises Damaged for a broken file."""
    by_id = {cell.id: cell for cell in cells}
    shown = dict.fromkeys(i for board in boards for entry in board.table.entries for i in entry.ids if i in by_id)
    records: dict[str, list[Record]] = {
        i: [r for r in read_records(by_id[i].folder) if r["type"] == "answer"] for i in shown
    }
    count = sum(map(len, records.values()))
    whole = _json(boards, records)
    if len(whole) <= limit:
        return Answers(whole, count, "")
    records = {i: _first_and_last(those) for i, those in records.items()}
    size = max((len({r["question"] for r in those}) for those in records.values()), default=0)
    kept, said = size, "of each question only the answers just after its write and after the last one are here"
    text = _json(boards, records)
    while len(text) > limit and kept:
        kept //= 2
        text = _json(boards, records, kept)
        said = f"only the first {kept} questions of each table are here, with the answers after first and last write"
    return Answers(text, count, f"To keep the page small, {said}. `membench show CELL -L 0` prints all of a cell.")


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


def _json(boards: Sequence[Board], records: Mapping[str, Sequence[Record]], most: int | None = None) -> str:
    strings: dict[str, int] = {}
    tables = [_table(board, records, strings, most) for board in boards]
    whole = {"strings": list(strings), "tables": tables}
    # An answer may hold "</script>" or "<!--"; without "<" no text ends the element or opens another one.
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _table(
    board: Board, records: Mapping[str, Sequence[Record]], strings: dict[str, int], most: int | None
) -> dict[str, Any]:
    rows = [(e, label, i) for e in board.table.entries for label, i in _labels(e) if i in records]
    asked = {r["question"] for e, _, i in rows if not e.mark for r in records[i]}
    questions: dict[str, list[Any]] = {}
    score = next((_score(r) for _, _, i in rows for r in records[i]), "")

    def place(text: str) -> int:
        return strings.setdefault(text, len(strings))

    for row, (_, _, i) in enumerate(rows):
        for r in records[i]:
            if asked and r["question"] not in asked:
                continue
            if r["question"] not in questions:
                if most is not None and len(questions) >= most:
                    continue
                questions[r["question"]] = [place(r["context"]), place(r["text"]), [*map(place, r["gold"])], []]
            _add(questions[r["question"]][3], [row, place(r["answer"]), r["scores"].get(score)], r)
    return {
        "title": board.table.title, "score": score, "rows": [label for _, label, _ in rows],
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


def _score(record: Record) -> str:
    """The score that the page shows: contains, or what the task has in its place."""
    return "contains" if "contains" in record["scores"] else next(iter(record["scores"]), "")
