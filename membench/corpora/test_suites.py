"""What drift is measured on: generic text that no training uses, and small test sets of general ability.

Test sets are named `common` (shipped), or `arc-easy`, `piqa`, `lambada`, each alone (its data set on the hub) or with a
file or a hub id behind a colon, which `wikidata` (cloze prompts of one fact each) always wants. Files are JSON lines of
{"query", "choices", "gold"}, of {"context", "continuation"}, or with the fields of the set on the hub.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib import resources
from itertools import islice
from typing import Any

from membench.corpora.generic_text import generic_texts
from membench.errors import MembenchError
from membench.io.file_hashes import content_key
from membench.io.hub import hub_rows
from membench.io.user_files import data_name, is_file_argument, read_jsonl, want
from membench.text.words import count_words
from membench.values import Drift

TEXTS = 16  # generic texts a measurement reads
WORDS = 20  # of a text, at least
KNOWN_ONLY = {"common": 1, "wikidata": 8}  # sets of which only what the model gets right is kept: tried for each kept
WIKITEXT = ("Salesforce/wikitext", "validation", "wikitext-2-raw-v1")
HUBS = {  # data set, split, configuration
    "arc-easy": ("allenai/ai2_arc", "test", "ARC-Easy"),
    "piqa": ("baber/piqa", "validation", None),
    "lambada": ("EleutherAI/lambada_openai", "test", "default"),
    "wikidata": ("", "train", None),  # no data set of its own
}


@dataclass(frozen=True)
class Item:
    """A beginning with its possible ends; one end alone counts as right if it is the model's own greedy choice."""

    prompt: str
    choices: tuple[str, ...]
    gold: int = 0


def drift_texts(source: str) -> tuple[str, ...]:
    """The first held-out texts of WORDS words or more; `wikitext` is WikiText-2, whose validation part is held out.

    Raises MembenchError as `generic_texts` does, and where no text is long enough.
    """
    held_out = _wikitext() if source == "wikitext" else generic_texts(source).held_out
    found = tuple(islice((text for text in held_out if count_words(text) >= WORDS), TEXTS))
    if not found:
        raise MembenchError(f"generic text {source} holds no text of {WORDS} words or more to measure drift on")
    return found


@lru_cache(maxsize=1)
def _wikitext() -> tuple[str, ...]:
    texts: Iterable[str] = (want(row, "text", str, WIKITEXT[0]) for row in hub_rows(*WIKITEXT) if row["text"])
    return tuple(islice((text for text in texts if len(text.split()) >= WORDS), TEXTS))


def suite(name: str, most: int = Drift.items) -> tuple[Item, ...]:
    """The first `most` items of a test set, or as many as are tried where only those that the model knows are kept.

    Raises MembenchError for an unknown name, and with the place of bad data.
    """
    kind, _, argument = name.partition(":")
    if name == "common":
        return common_knowledge()
    if kind not in HUBS:
        raise MembenchError(f"unknown test set {name!r} for drift: choose from common, {', '.join(HUBS)}")
    if not argument and not HUBS[kind][0]:
        raise MembenchError(f"test set {kind} needs a file or a hub id: write {kind}:FILE")
    return _items(kind, argument, most, content_key(argument))


@lru_cache(maxsize=8)
def _items(kind: str, argument: str, most: int, content: str) -> tuple[Item, ...]:
    """Items that have been read; those of a file by its `content`, so that one that has changed is read anew."""
    tried = most * KNOWN_ONLY.get(kind, 1)
    items = tuple(islice((_item(row, where) for where, row in _rows(kind, argument)), tried))
    if not items:
        raise MembenchError(f"test set {kind}{':' if argument else ''}{argument} is empty")
    return items


def suite_label(name: str) -> str:
    """What a test set is called in records and metrics: as typed, of a path only its last part."""
    kind, _, argument = name.partition(":")
    return data_name(kind, argument)


@lru_cache(maxsize=1)
def common_knowledge() -> tuple[Item, ...]:
    """The shipped set: 64 beginnings with one right and three wrong ends."""
    text = resources.files("membench.corpora").joinpath("common_knowledge.txt").read_text(encoding="utf-8")
    lines = [line.split(" | ") for line in text.splitlines() if line and not line.startswith("#")]
    return tuple(Item(prompt, tuple(ends)) for prompt, *ends in lines)


def drift_digest(step: Drift) -> str:
    """A hash of all that a step reads. Raises MembenchError as reading does, and for two test sets of one name."""
    labels = [suite_label(name) for name in step.suites]
    for label in labels:
        if labels.count(label) > 1:
            raise MembenchError(f"two test sets for drift are called {label}: give one file another name")
    whole = [drift_texts(step.text), [[asdict(item) for item in suite(name, step.items)] for name in step.suites]]
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()[:16]


def _rows(kind: str, argument: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if argument and is_file_argument(argument):
        yield from read_jsonl(argument)
        return
    name, split, config = HUBS[kind]
    rows = hub_rows(argument, split) if argument else hub_rows(name, split, config)
    for number, row in enumerate(rows, 1):
        yield f"{argument or name}, record {number}", row


def _item(row: Mapping[str, Any], where: str) -> Item:
    for key, read in _FORMS.items():
        if key in row:
            return read(row, where)
    raise MembenchError(f"{where}: wants one of the fields {', '.join(_FORMS)}")


def _chosen(prompt: str, choices: list[Any], gold: Any, where: str) -> Item:
    """An item whose choices are texts, one of them right."""
    if not all(isinstance(choice, str) and choice.strip() for choice in choices) or len(choices) < 2:
        raise MembenchError(f"{where}: wants two choices or more, all of them texts")
    if not isinstance(gold, int) or not 0 <= gold < len(choices):
        raise MembenchError(f"{where}: the right choice must be a number from 0 to {len(choices) - 1}, got {gold!r}")
    return Item(f"{prompt.strip()}\nAnswer:", tuple(choice.strip() for choice in choices), gold)


def _query(row: Mapping[str, Any], where: str) -> Item:
    return _chosen(want(row, "query", str, where), want(row, "choices", list, where), row.get("gold"), where)


def _arc(row: Mapping[str, Any], where: str) -> Item:
    choices = want(row, "choices", dict, where)
    labels, key = list(want(choices, "label", list, where)), want(row, "answerKey", str, where)
    gold = labels.index(key) if key in labels else None
    prompt = f"Question: {want(row, 'question', str, where)}"
    return _chosen(prompt, list(want(choices, "text", list, where)), gold, where)


def _piqa(row: Mapping[str, Any], where: str) -> Item:
    choices = [want(row, key, str, where) for key in ("sol1", "sol2")]
    return _chosen(f"Question: {want(row, 'goal', str, where)}", choices, row.get("label"), where)


def _continuation(row: Mapping[str, Any], where: str) -> Item:
    return Item(want(row, "context", str, where).rstrip(), (want(row, "continuation", str, where).strip(),))


def _last_word(row: Mapping[str, Any], where: str) -> Item:
    before, _, last = want(row, "text", str, where).strip().rpartition(" ")
    if not before:
        raise MembenchError(f"{where}: 'text' must have two words or more")
    return Item(before, (last,))


_FORMS: Mapping[str, Callable[[Mapping[str, Any], str], Item]] = {
    "query": _query,
    "question": _arc,
    "goal": _piqa,
    "context": _continuation,
    "text": _last_word,
}
