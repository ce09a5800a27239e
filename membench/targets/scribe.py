"""Who writes the target sentences. What they wrote is kept by content; its cost stays known."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from membench.errors import MembenchError, unknown
from membench.targets import openai_endpoint, writers
from membench.targets.pairs import beginning, recorded_pairs
from membench.values import Pair

if TYPE_CHECKING:
    from membench.model.llm import LLM
    from membench.model.meter import Meter

WRITERS = ("template", "self", "openai", "recorded")


class Scribe:
    """Hands out target pairs about a passage; made once per cell and lent to every method.

    `book` maps a passage to the data's own pairs; `cache` is a folder, or None to keep nothing; `weights` tells models
    of one name apart. `written` holds everything that was handed out, by passage.
    """

    def __init__(
        self,
        book: Mapping[str, tuple[Pair, ...]],
        cache: Path | None,
        base_url: str | None = None,
        offline: bool = False,
        weights: str = "",
    ):
        self.written: dict[str, tuple[Pair, ...]] = {}
        self._book = book
        self._cache = cache
        self.base_url = base_url or os.environ.get("OPENAI_BASE_URL")
        self.offline = offline
        self._weights = weights

    def pairs(self, writer: str, text: str, count: int, llm: LLM) -> tuple[Pair, ...]:
        """At most `count` pairs about a passage, by `template`, `self`, `openai[:MODEL]` or `recorded:FILE`.

        `self` is the model as it is at the moment: call it before a memory is worn. What writing costs is charged to
        the role `writer`, equally whether the pairs are new or kept. Raises MembenchError for an unknown writer, and
        for one that has nothing to say about this passage.
        """
        kind, argument = _split(writer)
        if kind == "template":
            pairs = self._book.get(text, ())
            remedy = "this data has no pairs of its own: take targets=self, openai or recorded:FILE"
        elif kind == "recorded":
            pairs = _recorded(Path(argument)).get(text, ())
            remedy = "add a line with this context to the file, or take targets=self or openai"
        else:
            pairs = self._kept(kind, argument, text, count, llm)
            remedy = "none of what it wrote was usable: take another writer, or split or shorten the passage"
        if not pairs:
            raise MembenchError(f"target writer {writer} has no pairs about the passage {beginning(text)}: {remedy}")
        self.written[text] = self.written.get(text, ()) + tuple(
            pair for pair in pairs[:count] if pair not in self.written.get(text, ())
        )
        return pairs[:count]

    def _kept(self, kind: str, argument: str, text: str, count: int, llm: LLM) -> tuple[Pair, ...]:
        """What this writer wrote before, or else what it writes now."""
        model = [llm.name, self._weights] if kind == "self" else [argument, self.base_url]
        identity = [provenance(f"{kind}:{argument}" if argument else kind), model, count, text]
        key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        path = self._cache / f"{key}.json" if self._cache else None
        with llm.meter.role("writer"):
            kept = _load(path) if path else None
            if kept is not None:
                pairs, read, generated = kept
                llm.meter.add(read=read, generated=generated)
                return pairs
            pairs, read, generated = _metered(llm.meter, lambda: self._write(kind, argument, text, count, llm))
        if path and pairs:
            _save(path, pairs, read, generated)
        return pairs

    def _write(self, kind: str, argument: str, text: str, count: int, llm: LLM) -> list[Pair]:
        if kind == "self":
            return writers.self_pairs(llm, text, count)
        if self.offline:
            raise MembenchError(
                f"--offline, and openai:{argument} has not written about {beginning(text)} yet: "
                "run once without --offline, or take targets=self or recorded:FILE"
            )
        return writers.openai_pairs(argument, text, count, self.base_url, llm.meter)


def provenance(writer: str) -> dict[str, str]:
    """What identifies a writer beside the passage: its name, the wording of its prompt, its model or its file."""
    kind, argument = _split(writer)
    if kind == "recorded":
        _recorded(Path(argument))
        content = hashlib.sha256(Path(argument).read_bytes()).hexdigest()
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
def _recorded(path: Path) -> dict[str, tuple[Pair, ...]]:
    return recorded_pairs(path)


def _metered(meter: Meter, write: Callable[[], list[Pair]]) -> tuple[tuple[Pair, ...], int, int]:
    """What `write` returns, and the tokens that it read and generated under the role `writer`."""
    spent = meter.counts["writer"]
    read, generated = spent["read"], spent["generated"]
    pairs = write()
    return tuple(pairs), spent["read"] - read, spent["generated"] - generated


def _load(path: Path) -> tuple[tuple[Pair, ...], int, int] | None:
    """A kept entry, or None if there is none or it is damaged; it is then written anew."""
    try:
        entry = json.loads(path.read_text(encoding="utf-8"))
        pairs = tuple(Pair(pair["question"], pair["answer"]) for pair in entry["pairs"])
        return pairs, int(entry["tokens"]["read"]), int(entry["tokens"]["generated"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _save(path: Path, pairs: tuple[Pair, ...], read: int, generated: int) -> None:
    """Written aside and renamed, so that a kill leaves the whole entry or none, and two runs do not mix theirs."""
    entry = {"pairs": [asdict(pair) for pair in pairs], "tokens": {"read": read, "generated": generated}}
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, part = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(entry, file, ensure_ascii=False)
    os.replace(part, path)
