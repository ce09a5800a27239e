"""The conformance suite: a method is played against the contract on a tiny random model, without network."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from membench.api import Method
from membench.errors import MembenchError
from membench.io import memory_codec as memories
from membench.model.llm import LLM
from membench.plugins import registry, settings
from membench.plugins.given_back import sound_answers, sound_recall
from membench.plugins.tiny_model import tiny_encoder, tiny_llm
from membench.targets.scribe import Scribe
from membench.text.words import words
from membench.values import Pair, Recall

TEXTS = (
    "The harbour of Vellmar was built by Ines Corde in 1931. It holds forty ships.",
    "The Oxley Trade Survey is sponsored by the Brannow Bank. It appears every March.",
)
PAIRS = (
    (Pair("Who built the harbour of Vellmar?", "Ines Corde"), Pair("When was it built?", "1931")),
    (Pair("Who sponsors the Oxley Trade Survey?", "the Brannow Bank"), Pair("When does it appear?", "every March")),
)
QUESTIONS = ("Who made the harbour of Vellmar?", "Which bank pays for the Oxley Trade Survey?", "Who is Ada Quill?")


RUN = 4  # words that make a passage of a text that was forgotten


@dataclass(frozen=True)
class Check:
    """One point of the contract: whether it holds, and what was seen where it does not."""

    name: str
    ok: bool
    detail: str = ""


def check(name: str, given: Sequence[str] = ()) -> list[Check]:
    """Play a method against the contract, with the given settings (`key=value`).

    A setting `encoder` that is not given is a tiny random one, as the model is.

    Raises MembenchError if there is no such method or setting.
    """
    cls = registry.load("methods", name)
    strings = settings.split(given, {name: cls})[name]
    with tempfile.TemporaryDirectory() as folder:
        for field in settings.types_of(cls):
            if field.split("_")[-1] == "encoder" and field not in strings:
                strings[field] = str(tiny_encoder(Path(folder, "encoder")))
        llm = LLM.load(tiny_llm(Path(folder, "model")), name="tiny", dtype="float32")
        scribe = Scribe(dict(zip(TEXTS, PAIRS, strict=True)), None, offline=True)
        method = settings.build(cls, strings, name=name, llm=llm, scribe=scribe, seed=0)
        trial = _Trial(method, Path(folder, "memory"))
        with _no_network(), contextlib.closing(method):
            return [_play(title, point) for title, point in trial.points]


class _Trial:
    """The points of the contract, in the order of play; each returns what is wrong, or nothing."""

    def __init__(self, method: Method[Any], folder: Path):
        self.method = method
        self.folder = folder
        self.weights = _fingerprint(method.llm)
        self.first: Any = None
        self.second: Any = None
        self.points: tuple[tuple[str, Callable[[], str]], ...] = (
            ("the empty memory can be read", self.empty),
            ("a memory is plain data", self.plain),
            ("write leaves its memory as it was", self.untouched),
            ("the same seed writes the same memory", self.repeatable),
            ("recall and answer are deterministic", self.deterministic),
            ("one answer a question, as text", self.counted),
            ("a memory survives saving and loading", self.saved),
            ("what is forgotten is not recalled", self.forgotten),
            ("the model comes back as it was", self.returned),
        )

    def empty(self) -> str:
        return self._malformed(None)

    def plain(self) -> str:
        self.first = self.method.write(None, TEXTS[:1])
        memories.flatten(self.first)
        return ""

    def untouched(self) -> str:
        before = memories.digest(self.first)
        self.second = self.method.write(self.first, TEXTS[1:])
        return "" if memories.digest(self.first) == before else "the memory given to the second write was changed"

    def repeatable(self) -> str:
        again = self.method.write(self.method.write(None, TEXTS[:1]), TEXTS[1:])
        return "" if memories.equal(again, self.second) else "two writes of the same texts differ"

    def deterministic(self) -> str:
        one, other = (_recalled(self.method.recall(self.second, QUESTIONS)) for _ in range(2))
        if one != other:
            return "two recalls differ"
        return "" if self._answers() == self._answers() else "two answers to the same question differ"

    def counted(self) -> str:
        return self._malformed(self.second)

    def saved(self) -> str:
        memories.save(self.second, self.folder)
        loaded = memories.load(self.folder, [type(part) for part in self.method.parts])
        if not memories.equal(loaded, self.second):
            return "what was loaded is not what was saved"
        return (
            "" if self.method.answer(loaded, QUESTIONS) == self._answers() else "the loaded memory answers differently"
        )

    def forgotten(self) -> str:
        """Of a method that can forget. What is left in weights, and what the rest loses, the task `deletion` asks."""
        if not self.method.forgets:
            return ""
        before = memories.digest(self.second)
        left = self.method.forget(self.second, TEXTS[:1])
        if memories.digest(self.second) != before:
            return "the memory given to forget was changed"
        brought = self.method.recall(left, QUESTIONS).contexts or ()
        gone, kept = _runs(TEXTS[0]), _runs(" ".join(TEXTS[1:])).union(*map(_runs, QUESTIONS))
        said = next((run for texts in brought for text in texts for run in _runs(text) if run in gone - kept), None)
        return f"{' '.join(said)!r} is recalled after its text was forgotten" if said else ""

    def returned(self) -> str:
        return "" if _fingerprint(self.method.llm) == self.weights else "weights, or modules of the model, have changed"

    def _answers(self) -> list[str]:
        return self.method.answer(self.second, QUESTIONS)

    def _malformed(self, memory: Any) -> str:
        try:
            sound_recall(self.method.recall(memory, QUESTIONS), len(QUESTIONS))
            sound_answers(self.method.answer(memory, QUESTIONS), len(QUESTIONS))
        except MembenchError as error:
            return str(error)
        return ""


def _play(title: str, point: Callable[[], str]) -> Check:
    try:
        wrong = point()
    except Exception as error:  # the plug-in's own code runs here; whatever it raises is the finding
        wrong = f"{type(error).__name__}: {error}"
    return Check(title, not wrong, wrong)


def _recalled(recall: Recall) -> tuple[Any, ...]:
    worn, planted = (recall.adapter, *(recall.adapters or ())), (recall.prefix, *(recall.prefixes or ()))
    parts = [(a.layers, a.scale) if a else None for a in worn], [(p.keys, p.values) if p else None for p in planted]
    return recall.contexts, memories.digest(parts), memories.digest(recall.lookup)


def _fingerprint(llm: LLM) -> str:
    """A hash of every module name and weight of the model."""
    total = hashlib.sha256(repr([name for name, _ in llm.model.named_modules()]).encode())
    total.update(memories.digest(dict(llm.model.state_dict())).encode())
    return total.hexdigest()


@contextlib.contextmanager
def _no_network() -> Iterator[None]:
    def refuse(*_: object) -> None:
        raise OSError("membench check allows no network")

    with mock.patch.object(socket.socket, "connect", refuse):
        yield


def _runs(text: str) -> set[tuple[str, ...]]:
    """What stands together in a text, as its words in a row, however they are written."""
    every = words(text)
    return {tuple(every[i : i + RUN]) for i in range(len(every) - RUN + 1)}
