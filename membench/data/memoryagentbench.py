"""MemoryAgentBench, long texts given in pieces (Hu et al., ICLR 2026); `--data memoryagentbench[:FILE]`, or a hub id.

A file is a JSON list, or JSON lines, of the published rows: `context`, `questions`, `answers` (accepted ones of each)
and `metadata` with its `source`. Of the hub's data set the splits Accurate_Retrieval and Conflict_Resolution are read.
Source: the card of huggingface.co/datasets/ai-hyz/MemoryAgentBench and github.com/HUST-AI-HYZ/MemoryAgentBench.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from membench.api import Source
from membench.corpora.sessions import Session, asked_on, recalled
from membench.data._chains import Row, records
from membench.data._golds import is_gold
from membench.data._talks import dataset
from membench.errors import MembenchError
from membench.io.hub import hub_rows
from membench.io.user_files import data_name, is_file_argument, want
from membench.text.mentions import names
from membench.text.sentences import sentences
from membench.text.words import count_words, words
from membench.values import Composed, Dataset, Question

HUB_ID = "ai-hyz/MemoryAgentBench"
SPLITS = ("Accurate_Retrieval", "Conflict_Resolution")
# Beginnings of the sources whose answers can be matched, and the kind of their questions.
KINDS = {"ruler_qa1": "single-session", "ruler_qa2": "multi-session", "factconsolidation": "update"}
TWO_HOPS = ("ruler_qa2", "factconsolidation_mh")  # beginnings of the sources whose questions take two pieces
PIECE = 350  # words, about the 512 tokens of the published pieces
START = datetime(2024, 1, 1)  # the data have no dates: a piece a day from here on, and the questions on the day after


class MemoryAgentBench(Source):
    """Documents, and facts of which later ones override earlier ones; the argument is a file or a hub id.

    Where the evidence stands is not published: floor and reference read the piece that names the answer and shares most
    words with the question, the last such one; for two hops the nearest other piece, too. Questions whose answer no
    piece names are left out, as are sources that no match scores.
    """

    def load(self, argument: str, limit: int, held_out: int) -> Dataset:
        """For other tasks the pieces with a question's evidence are one text."""
        return self.load_conversations(argument, limit, held_out)

    def load_conversations(self, argument: str, limit: int, held_out: int) -> Dataset:
        """One context for each set of evidence pieces, of each kind in turn. Raises MembenchError with the record."""
        local = bool(argument) and is_file_argument(argument)
        rows = records("memoryagentbench", argument) if local else _from_hub(argument or HUB_ID)
        made = [context for number, row in enumerate(rows) for context in _contexts(f"mab-{number}", row)]
        return dataset(data_name("memoryagentbench", argument), made, limit, held_out)


def _from_hub(name: str) -> Iterator[Row]:
    for split in SPLITS:
        for number, row in enumerate(hub_rows(name, split), 1):
            yield f"{name}, {split}, record {number}", row


def _contexts(id_: str, row: Row) -> list[Composed]:
    where, record = row
    source = str(want(record, "metadata", dict, where).get("source") or "")
    kind = next((kind for start, kind in KINDS.items() if source.lower().startswith(start)), None)
    if kind is None:
        return []
    texts = list(_pieces(want(record, "context", str, where)))
    sessions = [Session(f"{id_}/piece-{k}", START + timedelta(days=k), (("Text", t),)) for k, t in enumerate(texts)]
    asked, accepted = (want(record, key, list, where) for key in ("questions", "answers"))
    if len(asked) != len(accepted):
        raise MembenchError(f"{where}: 'questions' and 'answers' differ in length")
    today = START + timedelta(days=len(texts))
    found: dict[tuple[int, ...], list[Question]] = {}
    for k, (question, golds) in enumerate(zip(asked, accepted, strict=True)):
        if not isinstance(question, str) or not question.strip():
            raise MembenchError(f"{where}: questions[{k}]: wants a text")
        answers = _answers(golds, f"{where}: answers[{k}]")
        evidence = _evidence(texts, question, answers, source.lower().startswith(TWO_HOPS))
        if evidence:
            name = f"{id_}-{'-'.join(map(str, evidence))}"
            made = Question(f"{id_}-q{k}", asked_on(today, question.strip()), answers, name, tags={"kind": kind})
            found.setdefault(evidence, []).append(made)
    return [recalled(those[0].context, [sessions[n] for n in e], those, sessions) for e, those in found.items()]


def _answers(golds: Any, where: str) -> tuple[str, ...]:
    listed = golds if isinstance(golds, list) else [golds]
    told = [gold for gold in listed if not isinstance(gold, str) or gold.strip()]
    if not told or not all(map(is_gold, told)):
        raise MembenchError(f"{where}: wants a text, or a list of texts")
    return tuple(dict.fromkeys(str(gold).strip() for gold in told))


def _evidence(texts: list[str], question: str, answers: tuple[str, ...], two: bool) -> tuple[int, ...]:
    """The places of the pieces that the reference reads, one or two; none where no piece names the answer."""
    asked = set(words(question))
    near = [len(asked & set(words(text))) for text in texts]
    naming = [k for k, text in enumerate(texts) if any(names(text, answer) for answer in answers)]
    if not naming:
        return ()
    best = max(naming, key=lambda k: (near[k], k))
    if not two or len(texts) == 1:
        return (best,)
    return tuple(sorted((best, max((k for k in range(len(texts)) if k != best), key=lambda k: (near[k], k)))))


def _pieces(text: str) -> Iterator[str]:
    """Runs of sentences with PIECE words at most, or of one sentence that is longer."""
    piece: list[str] = []
    length = 0
    for sentence in (s for line in text.splitlines() for s in _numbered(sentences(line))):
        more = count_words(sentence)
        if piece and length + more > PIECE:
            yield " ".join(piece)
            piece, length = [], 0
        piece.append(sentence)
        length += more
    if piece:
        yield " ".join(piece)


def _numbered(line: Sequence[str]) -> Iterator[str]:
    """The sentences of a line, a number before one with it, as in "49. Bob is king.": it says which fact is newer."""
    number = ""
    for sentence in line:
        number += f"{sentence} "
        if not re.fullmatch(r"\d+[.)]", sentence):
            yield number.rstrip()
            number = ""
    if number:
        yield number.rstrip()
