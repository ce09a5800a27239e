from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from membench.api import Method, Recall
from membench.plugins import registry, settings
from membench.plugins.conformance import check

NEEDS = {  # settings without which a built-in method is no memory, or takes long
    "cartridge-bank": ["of=cartridge epochs=1 tokens=8"],
    "lora-bank": ["of=selfparam epochs=1"],
    "process": [f"command=perl '{Path(__file__).parents[2] / 'examples' / 'bm25.pl'}'"],
}

pytestmark = pytest.mark.long


@dataclass(frozen=True)
class Notes(Method[Any]):
    """A method that keeps to the contract; the others break it in one point."""

    def write(self, memory: Any, contexts: Any) -> Any:
        return {"texts": [*(memory["texts"] if memory else []), *contexts]}

    def recall(self, memory: Any, questions: Any) -> Recall:
        return Recall(contexts=tuple(tuple(memory["texts"] if memory else ()) for _ in questions))


@dataclass(frozen=True)
class InPlace(Notes):
    def write(self, memory: Any, contexts: Any) -> Any:
        memory = memory or {"texts": []}
        memory["texts"].extend(contexts)
        return memory


@dataclass(frozen=True)
class NeedsMemory(Notes):
    def recall(self, memory: Any, questions: Any) -> Recall:
        return Recall(contexts=tuple(tuple(memory["texts"]) for _ in questions))


@dataclass(frozen=True)
class NotPlain(Notes):
    def write(self, memory: Any, contexts: Any) -> Any:
        return {"texts": set(contexts)}


@dataclass(frozen=True)
class Short(Notes):
    def answer(self, memory: Any, questions: Any) -> list[str]:
        return super().answer(memory, questions)[:1]


@dataclass(frozen=True)
class Meddler(Notes):
    def write(self, memory: Any, contexts: Any) -> Any:
        next(self.llm.model.parameters()).data.add_(1e-3)
        return super().write(memory, contexts)


@dataclass(frozen=True)
class Caller(Notes):
    def write(self, memory: Any, contexts: Any) -> Any:
        with socket.socket() as line:
            line.connect(("127.0.0.1", 9))
        return super().write(memory, contexts)


@dataclass(frozen=True)
class NeverForgets(Notes):
    def forget(self, memory: Any, contexts: Any) -> Any:
        return memory


@dataclass(frozen=True)
class NeverForgetsPieces(Notes):
    """What it recalls are pieces of sentences, in lower case."""

    def forget(self, memory: Any, contexts: Any) -> Any:
        return dict(memory)

    def recall(self, memory: Any, questions: Sequence[str]) -> Recall:
        texts = (memory or {"texts": []})["texts"]
        pieces = [" ".join(text.lower().split()[k : k + 6]) for text in texts for k in range(0, 12, 6)]
        return Recall(contexts=tuple(tuple(pieces) for _ in questions))


@dataclass(frozen=True)
class ForgetsInPlace(Notes):
    def forget(self, memory: Any, contexts: Any) -> Any:
        memory["texts"] = [text for text in memory["texts"] if text not in contexts]
        return memory


@dataclass(frozen=True)
class Forgets(Notes):
    def forget(self, memory: Any, contexts: Any) -> Any:
        return {"texts": [text for text in memory["texts"] if text not in contexts]}


@dataclass(frozen=True)
class Quotes(Forgets):
    def recall(self, memory: Any, questions: Sequence[str]) -> Recall:
        texts = (memory or {"texts": []})["texts"]
        return Recall(contexts=tuple(tuple(f"Found for: {q}\n{text}" for text in texts) for q in questions))


def failures(monkeypatch: pytest.MonkeyPatch, cls: type) -> dict[str, str]:
    monkeypatch.setattr(registry, "require", lambda kind, names: None)  # it is not registered
    monkeypatch.setattr(registry, "load", lambda kind, name: cls)
    return {point.name: point.detail for point in check("it") if not point.ok}


@pytest.mark.parametrize("cls", [Notes, Forgets, Quotes])
def test_a_good_method_passes(monkeypatch: pytest.MonkeyPatch, cls: type) -> None:
    assert failures(monkeypatch, cls) == {}


@pytest.mark.parametrize(
    ("cls", "point", "detail"),
    [
        (InPlace, "write leaves its memory as it was", "was changed"),
        (NeedsMemory, "the empty memory can be read", "TypeError"),
        (NotPlain, "a memory is plain data", "plain data only, not set"),
        (Short, "one answer a question, as text", "answer gave answers to 1 of 3 questions"),
        (NeverForgets, "what is forgotten is not recalled", " is recalled after its text was forgotten"),
        (NeverForgetsPieces, "what is forgotten is not recalled", " is recalled after its text was forgotten"),
        (ForgetsInPlace, "what is forgotten is not recalled", "given to forget was changed"),
        (Meddler, "the model comes back as it was", "have changed"),
        (Caller, "a memory is plain data", "allows no network"),
    ],
)
def test_a_broken_promise_is_found(monkeypatch: pytest.MonkeyPatch, cls: type, point: str, detail: str) -> None:
    assert detail in failures(monkeypatch, cls)[point]


@pytest.mark.parametrize("name", registry.names("methods"))
def test_every_builtin_method_keeps_the_contract(name: str) -> None:
    known = settings.types_of(registry.load("methods", name))
    quick = ["epochs=1"] if "epochs" in known else NEEDS.get(name, [])
    assert [point for point in check(name, quick) if not point.ok] == []
