"""Generic text, unrelated to any context: what SELF-PARAM and FT(S) mix in, and what drift is measured on."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

from membench.errors import MembenchError, standing_at
from membench.io.file_hashes import content_key
from membench.io.user_files import parse_json, read_text, user_path
from membench.text.words import first_words

SLIMPAJAMA = "DKYoon/SlimPajama-6B"  # what the released code of SELF-PARAM reads, from its first document on
SOURCES = "builtin, slimpajama, hub:ID or file:PATH"
HUB_TEXTS = 1200  # documents taken from a hub data set
MAX_WORDS = 200  # kept of each text by default; the released code reads 256 tokens
FOLD = 5  # every fifth text is held out
BUILTIN_COUNTS = (480, 120)  # texts of train and held_out


@dataclass(frozen=True)
class GenericText:
    """Texts to train on, and others of the same kind that training never sees, for measuring drift."""

    train: tuple[str, ...]
    held_out: tuple[str, ...]

    @property
    def digest(self) -> str:
        """A hash of all texts."""
        return hashlib.sha256(json.dumps([self.train, self.held_out]).encode()).hexdigest()[:16]

    def sample(self, rng: random.Random, count: int) -> list[str]:
        """Texts to train on, none of them twice until all have been drawn."""
        drawn: list[str] = []
        while len(drawn) < count:
            drawn += rng.sample(self.train, min(len(self.train), count - len(drawn)))
        return drawn


def generic_texts(source: str, offline: bool = False, words: int = MAX_WORDS) -> GenericText:
    """The texts of `builtin`, `slimpajama`, `hub:ID` or `file:PATH`, at most so many words of each.

    A file holds paragraphs parted by blank lines, or one text a line; a `.jsonl` file {"text": …} objects. Raises
    MembenchError for an unknown source, for a file that is missing, broken (with its line) or too short, and for a hub
    data set that cannot be read, with the command that fetches it.
    """
    kind, _, argument = source.partition(":")
    return _kept(source, offline, words, content_key(argument) if kind == "file" else "")


@lru_cache(maxsize=4)
def _kept(source: str, offline: bool, words: int, content: str) -> GenericText:
    """Texts that have been read; those of a file by its `content`, so that one that has changed is read anew."""
    kind, _, argument = source.partition(":")
    if source == "builtin":
        return _builtin()
    if source == "slimpajama":
        texts = _hub(SLIMPAJAMA, offline)
    elif kind == "hub" and argument:
        texts = _hub(argument, offline)
    elif kind == "file" and argument:
        texts = _file(user_path(argument))
    else:
        raise MembenchError(f"unknown generic text {source!r}: choose from {SOURCES}")
    return _split(texts, source, words)


def _split(texts: Iterable[str], source: str, words: int) -> GenericText:
    cut = list(dict.fromkeys(first_words(text, words) for text in texts if text.strip()))
    if len(cut) < FOLD:
        raise MembenchError(f"generic text {source} holds {len(cut)} different texts: at least {FOLD} are needed")
    held_out = tuple(cut[FOLD - 1 :: FOLD])
    return GenericText(tuple(text for i, text in enumerate(cut, 1) if i % FOLD), held_out)


# ---------------------------------------------------------------- builtin


def _builtin() -> GenericText:
    """Short paragraphs on everyday topics; train and held-out share topics and no sentence."""
    lines = resources.files("membench.corpora").joinpath("generic_text.txt").read_text(encoding="utf-8").splitlines()
    topics: list[list[str]] = []
    for line in lines:
        if line.startswith("#"):
            topics.append([])
        elif line:
            topics[-1].append(line)
    kept, held_out = BUILTIN_COUNTS
    train_topics = [[s for i, s in enumerate(topic, 1) if i % 4] for topic in topics]
    rng = random.Random(0)
    return GenericText(_paragraphs(train_topics, kept, rng), _paragraphs([t[3::4] for t in topics], held_out, rng))


def _paragraphs(topics: Sequence[Sequence[str]], count: int, rng: random.Random) -> tuple[str, ...]:
    """Distinct paragraphs of two to four sentences (20 to 60 words) on one topic, the topics in turn."""
    out: dict[str, None] = {}
    for topic in itertools.cycle(topics):
        chosen = rng.sample(topic, rng.randint(2, min(4, len(topic))))
        text = " ".join(_vary(sentence, rng) for sentence in chosen)
        if 20 <= len(text.split()) <= 60:
            out[text] = None
        if len(out) == count:
            break
    return tuple(out)


def _vary(sentence: str, rng: random.Random) -> str:
    """A sentence with one wording chosen for each {one|other}."""
    return re.sub(r"\{([^}]*)\}", lambda match: rng.choice(match[1].split("|")), sentence)


# ---------------------------------------------------------------- files and the hub


def _file(path: Path) -> list[str]:
    with standing_at("generic text"):
        text = read_text(str(path))
    if path.suffix == ".jsonl":
        lines = enumerate(text.split("\n"), 1)
        return [_json_text(line, f"{path}:{number}") for number, line in lines if line.strip()]
    paragraphs = re.split(r"\n\s*\n", text.strip())
    return paragraphs if len(paragraphs) > 1 else text.split("\n")


def _json_text(line: str, where: str) -> str:
    path, _, number = where.rpartition(":")
    row = parse_json(line, path, int(number))
    text = row.get("text") if isinstance(row, dict) else None
    if not isinstance(text, str):
        raise MembenchError(f'{where}: wants {{"text": "…"}}')
    return text


def _hub(name: str, offline: bool) -> list[str]:
    """The first documents of a data set's training part, read as a stream, so that no more than those are fetched.

    Without a network it is read from the hub's cache. Pickled data and data sets that bring code are not read.
    """
    from datasets.exceptions import DatasetsError
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    offline = offline or os.environ.get("HF_HUB_OFFLINE", "") not in ("", "0")
    try:
        return list(itertools.islice(_documents(name, offline), HUB_TEXTS))
    except (DatasetsError, HfHubHTTPError, HFValidationError, OSError, ValueError) as error:
        absent = isinstance(error, LocalEntryNotFoundError)
        reason = "not in its cache" if absent else (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise MembenchError(
            f"cannot read generic text {name} from the hub: {reason} "
            f"(with a network, `hf download --repo-type dataset {name}` fetches it)"
        ) from error


def _documents(name: str, offline: bool) -> Iterator[str]:
    from datasets import load_dataset
    from huggingface_hub import snapshot_download

    where = snapshot_download(name, repo_type="dataset", local_files_only=True) if offline else name
    for row in load_dataset(where, split="train", streaming=True):
        if not isinstance(row.get("text"), str):
            raise MembenchError(f"data set {name} has no field 'text': its fields are {', '.join(sorted(row))}")
        yield row["text"]
