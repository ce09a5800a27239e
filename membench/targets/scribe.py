"""Who writes the target sentences. What they wrote is kept by content; its cost stays known."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

from membench.errors import MembenchError, unknown
from membench.io.file_hashes import content_key
from membench.io.plain_files import NoFile, read_plain
from membench.io.user_files import user_path
from membench.targets import openai_endpoint, writers
from membench.targets.pairs import beginning, recorded_pairs
from membench.values import Pair

if TYPE_CHECKING:
    from membench.model.llm import LLM
    from membench.model.meter import Meter

Book = Mapping[str, tuple[Pair, ...]]  # by passage
WRITERS = ("template", "self", "openai", "recorded")


class NoPairs(MembenchError):
    """A writer has nothing to say about one passage; it may have about others."""


class Scribe:
    """Hands out target pairs about a passage; made once per cell and lent to every method.

    `book` maps a passage to the data's own pairs, where there are none to (); `cache` is a folder, or None to keep
    nothing; `weights` tells models of one name apart; `say` is told what the user should know. `written` holds all that
    was handed out, by passage.
    """

    def __init__(
        self,
        book: Book,
        cache: Path | None,
        base_url: str | None = None,
        offline: bool = False,
        weights: str = "",
        say: Callable[[str], object] = lambda _: None,
    ):
        self.written: dict[str, tuple[Pair, ...]] = {}
        self._book = book
        self._cache = cache
        self.endpoint = openai_endpoint.Endpoint(base_url or os.environ.get("OPENAI_BASE_URL"))
        self.offline = offline
        self._weights = weights
        self._say = say
        self._told = False

    def pairs(self, writer: str, text: str, count: int, llm: LLM) -> tuple[Pair, ...]:
        """At most `count` pairs about a passage, by `template`, `self`, `openai[:MODEL]` or `recorded:FILE`.

        `self` is the model as it is at the moment: call it before a memory is worn. What writing costs is charged to
        the role `writer`, tokens and seconds, equally whether the pairs are new or kept. None about small talk in data
        that have pairs of their own about other passages. Raises MembenchError for an unknown writer, and for one that
        has nothing to say about this passage.
        """
        kind, argument = _split(writer)
        known = at_hand(writer, self._book)
        if known is None:
            pairs = self._kept(kind, argument, text, count, llm)
            if not pairs:
                remedy = "none of what it wrote was usable: take another writer, or split or shorten the passage"
                raise _none_about(writer, text, remedy)
        elif not (pairs := pairs_about(writer, text, known)):
            return ()
        self.written[text] = self.written.get(text, ()) + tuple(
            pair for pair in pairs[:count] if pair not in self.written.get(text, ())
        )
        return pairs[:count]

    def _kept(self, kind: str, argument: str, text: str, count: int, llm: LLM) -> tuple[Pair, ...]:
        """What this writer wrote before, or else what it writes now."""
        model = [llm.name, self._weights] if kind == "self" else [argument, self.endpoint.public]
        identity = [provenance(f"{kind}:{argument}" if argument else kind), model, count, text]
        key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        path = self._cache / f"{key}.json" if self._cache else None
        with llm.meter.role("writer"):
            kept = _load(path) if path else None
            if kept and kept.seconds is None and kind == "self":
                kept = None  # of an earlier version: the model writes the same again, and is timed
            if kept is not None:
                if kept.seconds is None and not self._told:
                    self._say(f"kept pairs of {kind}:{argument} came with no seconds: their writing is charged none")
                    self._told = True
                llm.meter.add(read=kept.read, generated=kept.generated)
                llm.meter.charge(kept.seconds or 0.0)
                return kept.pairs
            fresh = _metered(llm.meter, lambda: self._write(kind, argument, text, count, llm))
        if path and fresh.pairs:
            _save(path, fresh)
        return fresh.pairs

    def _write(self, kind: str, argument: str, text: str, count: int, llm: LLM) -> list[Pair]:
        if kind == "self":
            return writers.self_pairs(llm, text, count)
        if self.offline:
            raise MembenchError(
                f"--offline, and openai:{argument} has not written about {beginning(text)} yet: "
                "run once without --offline, or take targets=self or recorded:FILE"
            )
        return writers.openai_pairs(self.endpoint, argument, text, count, llm.meter, self._say)


def at_hand(writer: str, book: Book) -> Book | None:
    """What `template` and `recorded` know without writing anything, by passage; None for writers that do write.

    Raises MembenchError for an unknown writer, and for a file that cannot be read.
    """
    kind, argument = _split(writer)
    return book if kind == "template" else _recorded(argument, content_key(argument)) if kind == "recorded" else None


def pairs_about(writer: str, text: str, known: Book) -> tuple[Pair, ...]:
    """What one of these knows of a passage: nothing about small talk, as `Scribe.pairs` says. Raises NoPairs."""
    found = known.get(text, ())
    template = writer == "template"
    if found or (template and text in known and any(known.values())):
        return found
    remedy = "the data bring none of their own about it: take targets=self, openai or recorded:FILE"
    if not template:
        remedy = "add a line with this context to the file, or take targets=self or openai"
    raise _none_about(writer, text, remedy)


def is_writer(name: object) -> TypeGuard[str]:
    """Whether a setting's value names a writer of target sentences."""
    return isinstance(name, str) and name.partition(":")[0] in WRITERS


def _none_about(writer: str, text: str, remedy: str) -> NoPairs:
    return NoPairs(f"target writer {writer} has no pairs about the passage {beginning(text)}: {remedy}")


def provenance(writer: str) -> dict[str, str]:
    """What identifies a writer beside the passage: its name, the wording of its prompt, its model or its file."""
    kind, argument = _split(writer)
    if kind == "recorded":
        content = content_key(argument)
        _recorded(argument, content)
        return {"writer": kind, "file": Path(argument).name, "sha256": content}
    if kind == "openai":
        return {"writer": kind, "prompt": writers.OPENAI_HASH, "model": argument}
    return {"writer": kind, "prompt": writers.SELF_HASH} if kind == "self" else {"writer": kind}


def _split(writer: str) -> tuple[str, str]:
    """A writer's kind and what stands after the colon: the model of `openai`, the file of `recorded`."""
    kind, colon, argument = writer.partition(":")
    if kind not in WRITERS:
        raise unknown("target writer", kind, WRITERS)
    if kind == "openai":
        return kind, argument or openai_endpoint.MODEL
    if kind == "recorded" and not argument:
        raise MembenchError("target writer recorded needs a file: write targets=recorded:FILE")
    if kind != "recorded" and colon:
        raise MembenchError(f"target writer {kind} takes nothing after a colon: write targets={kind}")
    return kind, argument


@lru_cache(maxsize=4)
def _recorded(path: str, content: str) -> dict[str, tuple[Pair, ...]]:
    """A file that has been read, by its `content`, so that one that has changed is read anew."""
    return recorded_pairs(user_path(path))


@dataclass(frozen=True)
class _Entry:
    """Pairs with what writing them took; the seconds are None in entries of versions that did not keep them."""

    pairs: tuple[Pair, ...]
    read: int
    generated: int
    seconds: float | None


def _metered(meter: Meter, write: Callable[[], list[Pair]]) -> _Entry:
    """What `write` returns, with the seconds and the tokens under the role `writer` that it took."""
    spent = meter.counts["writer"]
    read, generated, started = spent["read"], spent["generated"], time.perf_counter()
    pairs = tuple(write())
    seconds = time.perf_counter() - started
    return _Entry(pairs, spent["read"] - read, spent["generated"] - generated, seconds)


def _load(path: Path) -> _Entry | None:
    """A kept entry, or None if there is none or it is damaged; it is then written anew."""
    try:
        entry = json.loads(read_plain(path))
        pairs = tuple(Pair(pair["question"], pair["answer"]) for pair in entry["pairs"])
        if not all(isinstance(part, str) for pair in pairs for part in (pair.question, pair.answer)):
            return None
        seconds = entry.get("seconds")
        tokens = entry["tokens"]
        return _Entry(pairs, int(tokens["read"]), int(tokens["generated"]), None if seconds is None else float(seconds))
    except (FileNotFoundError, NoFile, ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return None


def _save(path: Path, entry: _Entry) -> None:
    """Written aside and renamed, so that a kill leaves the whole entry or none, and two runs do not mix theirs."""
    tokens = {"read": entry.read, "generated": entry.generated}
    whole = {"pairs": [asdict(p) for p in entry.pairs], "tokens": tokens, "seconds": round(entry.seconds or 0.0, 3)}
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, part = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(whole, file, ensure_ascii=False)
    os.replace(part, path)
