"""Conversational recommendation as published (He et al., CIKM 2023; Wang et al., ICLR 2025): files to dialogues.

A folder has `test.jsonl`, one recommending turn a line, `entity2id.json` (URI -> id) and `item_ids.json` (the ids that
are films); a `train.jsonl` of the same form as the first, if it is there, has the dialogues to write.
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from membench.corpora.dialogues import Dialogues, turn_tags
from membench.data._distractors import fill_distractors
from membench.errors import MembenchError
from membench.io.hub import hub_folder
from membench.io.user_files import data_name, is_file_argument, read_json, read_jsonl, user_path, want
from membench.metrics.titles import bare
from membench.values import Context, Pair, Question

TEST, TRAIN, ENTITIES, ITEMS = "test.jsonl", "train.jsonl", "entity2id.json", "item_ids.json"
SPLIT = "dialogues of the test file by a hash of their ids: half to write, half to ask"
ASKED = "Which film does the system name next?"
TARGETS = (
    'A user said: "{said}" Which films did the system name then?',
    'What is recommended to someone who says "{said}"?',
)


@dataclass(frozen=True)
class _Turn:
    """A line of a file: the conversation so far, the reply, and the films in the reply and before it."""

    id: str
    dialogue: str
    before: str
    reply: str
    films: tuple[str, ...]
    mentioned: tuple[str, ...]
    where: str

    @property
    def text(self) -> str:
        """The whole conversation up to the reply; `before` ends with the mark of who replies."""
        return f"{self.before} {self.reply}".strip()

    @property
    def asked(self) -> str:
        """The conversation without the mark of who replies."""
        return self.before.removesuffix("System:").strip()

    @property
    def said(self) -> str:
        """What the user said last, "" in a conversation that the system opens."""
        return self.asked.rpartition("User:")[2].partition("System:")[0].strip() if "User:" in self.asked else ""


def load_published(source: str, argument: str, limit: int, held_out: int) -> Dialogues:
    """The dialogues of a folder, of a test file with the others beside it, or of a hub id with these files.

    Raises MembenchError with file and record for a broken line, an id that is no item, a dialogue without items.
    """
    if not argument:
        raise MembenchError(f"{source} wants a folder, a test file or a hub id: --data {source}:FOLDER")
    test = _test_file(argument)
    films = _films(test.parent)
    tested = _dialogues(test, films)
    train = test.with_name(TRAIN)
    if train.exists():
        told, asked, split = _dialogues(train, films), tested, TRAIN
        both = next((id_ for id_ in told if id_ in tested), None)
        if both is not None:
            raise MembenchError(f"{told[both][0].where}: dialogue {both!r} is in {test.name} too: leave it out of one")
    else:
        told = {id_: turns for id_, turns in tested.items() if _is_written(id_)}
        asked, split = {id_: turns for id_, turns in tested.items() if id_ not in told}, SPLIT
    if not told or not asked:
        raise MembenchError(f"{test}: {len(tested)} dialogues are too few to write some and ask about others")
    contexts = fill_distractors([_context(id_, turns) for id_, turns in told.items()], limit + held_out)
    return Dialogues(
        name=data_name(source, argument),
        contexts=contexts[:limit],
        held_out=contexts[limit:],
        items=tuple(films.titles),
        turns=tuple(_question(turn) for turns in asked.values() for turn in turns if turn.films),
        recommended={c.id: tuple(title for turn in told[c.id] for title in turn.films) for c in contexts},
        split=split,
    )


def _test_file(argument: str) -> Path:
    if not is_file_argument(argument):
        return hub_folder(argument, (TEST, TRAIN, ENTITIES, ITEMS)) / TEST
    path = user_path(argument)
    return path / TEST if os.path.isdir(path) else path


def _is_written(dialogue: str) -> bool:
    return hashlib.sha256(dialogue.encode()).digest()[0] % 2 == 0


@dataclass(frozen=True)
class _Films:
    """The catalogue: titles in the order of entity2id.json, one for all items that differ in parentheses alone."""

    titles: Mapping[str, None]
    known: Mapping[int, str]  # entity id -> title; also those of entities that are no items
    items: frozenset[int]

    def of(self, row: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
        """The titles of the ids in row[key], each once. Raises MembenchError for an id that is no item."""
        for id_ in row.get(key, ()):
            if not isinstance(id_, int) or id_ not in self.items:
                missing = ITEMS if isinstance(id_, int) and id_ in self.known else ENTITIES
                raise MembenchError(f"{where}: unknown item id {id_!r} in {key!r}: it is not in {missing}")
        return tuple(dict.fromkeys(self.known[id_] for id_ in row.get(key, ())))

    def mentioned(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        """The titles among the names of everything that was mentioned; published rows compare names, not ids."""
        ids = (id_ for id_ in row.get("prev_entity", ()) if isinstance(id_, int) and id_ in self.known)
        return tuple(name for name in dict.fromkeys(self.known[id_] for id_ in ids) if name in self.titles)


def _films(folder: Path) -> _Films:
    entities, ids = read_json(str(folder / ENTITIES)), read_json(str(folder / ITEMS))
    if not isinstance(entities, dict) or not all(isinstance(id_, int) for id_ in entities.values()):
        raise MembenchError(f"{folder / ENTITIES}: wants an object of URI: id")
    if not isinstance(ids, list) or not ids or not all(isinstance(id_, int) for id_ in ids):
        raise MembenchError(f"{folder / ITEMS}: wants a list of ids, not empty")
    items = frozenset(ids)
    first: dict[str, str] = {}  # titles that differ in case alone are one, too
    for uri, id_ in entities.items():
        if id_ in items:
            first.setdefault(_name(uri).lower(), _name(uri))
    known = {id_: first.get(_name(uri).lower(), _name(uri)) for uri, id_ in reversed(entities.items())}
    lost = next((id_ for id_ in ids if id_ not in known), None)
    if lost is not None:
        raise MembenchError(f"{folder / ITEMS}: unknown item id {lost!r}: it is not in {ENTITIES}")
    return _Films(dict.fromkeys(first.values()), known, items)


def _name(uri: str) -> str:
    """The name in a URI: "<http://dbpedia.org/resource/Water_(1985_film)>" is Water."""
    return bare(unquote(uri.strip("<>").partition("/resource/")[2] or uri.strip("<>").rpartition("/")[2]))


def _dialogues(path: Path, films: _Films) -> dict[str, list[_Turn]]:
    """The turns of a file by dialogue, in its order."""
    found: dict[str, list[_Turn]] = defaultdict(list)
    taken: set[str] = set()
    for where, row in read_jsonl(str(path)):
        turn = _turn(row, films, where)
        if turn.id in taken:
            raise MembenchError(f"{where}: the turn {turn.id!r} is taken by an earlier line")
        taken.add(turn.id)
        found[turn.dialogue].append(turn)
    for id_, turns in found.items():
        if not any(turn.films for turn in turns):
            raise MembenchError(f"{turns[0].where}: dialogue {id_!r} recommends no item: leave it out")
    return found


def _turn(row: dict[str, Any], films: _Films, where: str) -> _Turn:
    for key in ("rec", "prev_entity"):
        if not isinstance(row.get(key, []), list):
            raise MembenchError(f"{where}: {key!r} must be a list of ids")
    dialogue, before, reply = (want(row, key, str, where) for key in ("dialog_id", "input", "resp"))
    id_ = f"{dialogue}-{row.get('turn_id', where.rpartition(':')[2])}"
    return _Turn(id_, dialogue, before.strip(), reply, films.of(row, "rec", where), films.mentioned(row), where)


def _question(turn: _Turn) -> Question:
    return Question(turn.id, turn.asked, turn.films, turn.dialogue, (), turn_tags(turn.dialogue, turn.mentioned))


def _context(id_: str, turns: Iterable[_Turn]) -> Context:
    """The dialogue up to its last recommendation, with its own recommendations as questions for the other tasks.

    Target sentences ask for the films of a turn by what its user said last.
    """
    turns = list(turns)
    questions = tuple(
        Question(f"{turn.id}-told", f"{turn.asked}\n{ASKED}", turn.films, id_, tags={"kind": "test"})
        for turn in turns
        if turn.films
    )
    targets = tuple(
        Pair(pattern.format(said=turn.said), ", ".join(turn.films))
        for turn in turns
        if turn.films and turn.said
        for pattern in TARGETS
    )
    return Context(id_, max((turn.text for turn in turns), key=len), questions, targets)
