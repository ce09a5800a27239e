"""Results as a table: a CSV file with the columns item, context (optional), method, score, seed (optional)."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence

from membench.errors import MembenchError, shortened
from membench.imported.results import Item, Results, hash_of, score_of, unique
from membench.io.user_files import read_text

NEEDED, OPTIONAL = ("item", "method", "score"), ("context", "seed")


def read_csv(path: str) -> list[Results]:
    """The results of each method with each seed. Raises MembenchError with FILE:LINE for what is no such table."""
    text = read_text(path)
    rows: dict[tuple[str, int], list[tuple[str, Item]]] = defaultdict(list)
    for where, row in _rows(text, path):
        seed = _seed(row.get("seed", ""), where)
        name = _text(row, "item", where)
        context = row.get("context", "") or name
        scores = {"score": _score(_text(row, "score", where), where)}
        rows[_text(row, "method", where), seed].append((where, Item(name, context, "", scores)))
    if not rows:
        raise MembenchError(f"{path}: no row below the head: one a method and item is wanted")
    digest = hash_of(text)
    return [Results(path, digest, "csv", method, unique(items), seed) for (method, seed), items in rows.items()]


def _rows(text: str, path: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Each row by column, with its place; cells are stripped, blank lines are skipped."""
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        head = [cell.strip().lower() for cell in next(lines)]
        _refuse_head(head, path)
        for cells in lines:
            where = f"{path}:{lines.line_num}"
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(head):
                raise MembenchError(f"{where}: {len(cells)} cells below {len(head)} columns: put texts into quotes")
            yield where, {name: cell.strip() for name, cell in zip(head, cells, strict=True)}
    except csv.Error as error:
        raise MembenchError(f"{path}:{lines.line_num}: no CSV: {error}") from error


def _refuse_head(head: Sequence[str], path: str) -> None:
    wanted = f"wants the columns {', '.join(NEEDED)} and, if there are any, {' and '.join(OPTIONAL)}"
    if len(head) == 1 and any(mark in head[0] for mark in ";\t|"):
        raise MembenchError(f"{path}:1: one column, {shortened(head[0])!r}: put commas between the columns")
    for name in NEEDED:
        if name not in head:
            raise MembenchError(f"{path}:1: no column {name!r}: {wanted}")
    for name in head:
        if head.count(name) > 1 or name not in (*NEEDED, *OPTIONAL):
            raise MembenchError(f"{path}:1: column {shortened(name)!r} is one too many: {wanted}")


def _text(row: dict[str, str], name: str, where: str) -> str:
    if not row[name]:
        raise MembenchError(f"{where}: {name!r} is empty")
    return row[name]


def _score(text: str, where: str) -> float:
    try:
        value = score_of(float(text), where)
    except ValueError:
        value = None
    if value is None:
        raise MembenchError(f"{where}: score {shortened(text)!r} is no number: write it like 0.75")
    return value


def _seed(text: str, where: str) -> int:
    if text and not (text.isdecimal() and len(text) < 20 and int(text) < 2**63):
        raise MembenchError(f"{where}: seed {shortened(text)!r} is no whole number from 0 to 2^63-1")
    return int(text or 0)
