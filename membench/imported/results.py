"""The results of another harness in one form, and whether they are of the same items, so that they can be compared."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from membench.errors import MembenchError, shortened
from membench.imported.secrets import without_secrets
from membench.imported.task import Imported

MOST = 1e50  # no score is greater: the sum over all items could not be stored
_LONG = 60  # letters of a setting that stand in a name
# Under these names data sets keep the text that several questions are about.
CONTEXTS = ("context", "passage", "paragraph", "article", "story", "document")


@dataclass(frozen=True)
class Item:
    """One item as it was answered. `context` groups items about one text; it is the item's own name where none does.

    `content` is equal for equal questions, whatever was answered.
    """

    name: str
    context: str
    content: str
    scores: Mapping[str, float]
    question: str = ""
    gold: tuple[str, ...] = ()
    answer: str = ""


@dataclass(frozen=True)
class Results:
    """All items of one method with one seed. `where` is the file as messages call it, `sha256` that of its bytes."""

    where: str
    sha256: str
    harness: str
    method: str
    items: tuple[Item, ...]
    seed: int = 0
    version: str | None = None  # of the harness
    settings: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)  # settings that are not shown where they are these
    sources: Mapping[str, Any] = field(default_factory=dict)  # the full names of what `method` calls by a part of them
    downwards: frozenset[str] = frozenset()  # scores of which less is better
    no_numbers: frozenset[str] = frozenset()  # scores that their harness alone can sum up


@dataclass(frozen=True)
class Matched:
    """Results on the same items: the task that sums them up, and the sha256 of what was asked.

    `left_out` says which scores not all of them have.
    """

    results: tuple[Results, ...]
    task: Imported
    digest: str
    left_out: tuple[str, ...]


def matched(results: Sequence[Results]) -> Matched:
    """The results, if all are of the same items. Raises MembenchError that names the first item that is not so."""
    first, *others = results
    for other in others:
        _refuse_other_items(first, other)
    _refuse_twice(results)
    every = dict.fromkeys(name for r in results for item in r.items for name in item.scores)
    scores = [name for name in every if all(name in item.scores for r in results for item in r.items)]
    if not scores:
        raise MembenchError(f"{results[-1].where}: no score is a number at every item: nothing can be compared")
    numbers = [s for s in scores if not all(0 <= item.scores[s] <= 1 for r in results for item in r.items)]
    downwards = [s for s in scores if any(s in r.downwards for r in results)]
    odd = dict.fromkeys(name for r in results for name in sorted(r.no_numbers) if name not in every)
    left = [f"{name} is left out: not every item has it" for name in every if name not in scores]
    left += [f"{name} is left out: its values are no numbers" for name in odd]
    task = Imported(tuple(scores), tuple(numbers), tuple(downwards))
    return Matched(tuple(results), task, _digest(first.items), tuple(left))


def _digest(items: Iterable[Item]) -> str:
    asked = sorted([item.name, item.context, item.content] for item in items)
    return hash_of(json.dumps(asked, ensure_ascii=False))


def _refuse_other_items(first: Results, other: Results) -> None:
    mine, theirs = ({item.name: item for item in r.items} for r in (first, other))
    for one, lacking, has in ((first, theirs, mine), (other, mine, theirs)):
        if missing := [name for name in has if name not in lacking]:
            there = other if one is first else first
            raise MembenchError(
                f"{there.where}: {there.method} lacks item {shortened(missing[0])!r} of {one.where} ({one.method}), "
                f"{len(missing)} in all: compare results on the same items, or import each by a command of its own"
            )
    for name, item in mine.items():
        its = theirs[name]
        if (item.content, item.context) != (its.content, its.context):
            contexts = f"has context {shortened(its.context)!r}, and {shortened(item.context)!r}"
            what = "is another question than" if item.content != its.content else contexts
            raise MembenchError(
                f"{other.where}: item {shortened(name)!r} of {other.method} {what} in {first.where} ({first.method}): "
                "compare results on the same items, or import each by a command of its own"
            )


def _refuse_twice(results: Sequence[Results]) -> None:
    seen: dict[str, Results] = {}
    for r in results:
        key = json.dumps([r.method, r.seed, dict(r.settings), dict(r.sources)], sort_keys=True)
        if key in seen:
            raise MembenchError(
                f"{r.where}: a second result of {r.method}, seed {r.seed}, beside {seen[key].where}: import one of them"
            )
        seen[key] = r


def unique(items: Iterable[tuple[str, Item]]) -> tuple[Item, ...]:
    """The items, given with their places. Raises MembenchError for one that comes twice, with both places."""
    found: dict[str, tuple[str, Item]] = {}
    for where, item in items:
        if item.name in found:
            raise MembenchError(
                f"{where}: item {shortened(item.name)!r} stands at {found[item.name][0]} already: keep one"
            )
        found[item.name] = where, item
    return tuple(item for _, item in found.values())


def score_of(value: object, where: str) -> float | None:
    """A score as a number, true as 1; None for what is none (a pair that is summed up otherwise, a text, infinity).

    Raises MembenchError that begins with `where` for one that is too great to be stored.
    """
    if not isinstance(value, int | float) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if abs(value) > MOST:
        said = shortened(str(value))
        raise MembenchError(f"{where}: score {said} is beyond ±{MOST:g}, which no table holds: leave the item out")
    return float(value)


def score_name(name: str) -> str:
    """A score's name as columns have it, in which / and : part what is measured from where."""
    return name.replace("/", ".").replace(":", ".")


def part(whole: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object within another one; an empty one where there is none."""
    found = whole.get(name)
    return found if isinstance(found, dict) else {}


def settings_from(arguments: Mapping[str, Any], of_model: Container[str] = ()) -> dict[str, str]:
    """What a run was told, as texts: of a long one the beginning and a hash. Left out are unset ones and secrets.

    `of_model` names those that a model was loaded or asked with (membench.imported.secrets).
    """
    found = {}
    for name, value in arguments.items():
        told = without_secrets(name, value, name in of_model)
        if told is not None:
            text = told if isinstance(told, str) else json.dumps(told, sort_keys=True, ensure_ascii=False)
            found[name] = text if len(text) <= _LONG else f"{text[:_LONG]}… {hash_of(text)[:8]}"
    return found


def context_of(fields: Mapping[str, Any], name: str) -> str:
    """What an item is grouped by: a name for the text that it is about, if its data set gives one; else its own."""
    text = next((fields[key] for key in CONTEXTS if isinstance(fields.get(key), str) and fields[key].strip()), None)
    return name if text is None else f"text-{hash_of(text)[:12]}"


def hash_of(text: str) -> str:
    """64 hex digits of a text's sha256."""
    return hashlib.sha256(text.encode()).hexdigest()
