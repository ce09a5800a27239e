"""What share of a text is retained in a combination, for whom, and what cannot be forgotten then."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

from membench.model.llm import LLM
from membench.plugins import registry
from membench.plugins.combined import Combined, retained
from membench.targets.scribe import Scribe

TEXTS = (
    "The harbour of Vellmar was built by Ines Corde in 1931. It holds forty ships.",
    "The Oxley Trade Survey is sponsored by the Brannow Bank. It appears every March.",
)


def made(name: str, llm: LLM, **given: Any) -> Any:
    return registry.load("methods", name)(llm=llm, scribe=Scribe({}, None), **given)


def test_what_is_retained_are_whole_sentences_and_a_smaller_share_is_part_of_a_larger() -> None:
    text = " ".join(f"Sentence {i} is here." for i in range(10))
    kept = [retained(text, share / 10) for share in range(11)]
    assert kept[0] == ""
    assert kept[10] == text
    for count, (less, more) in enumerate(itertools.pairwise(kept)):
        assert less.count("Sentence") == count
        assert {s for s in less.split(". ") if s} - {f"{s}." for s in more.split(". ")} - set(more.split(". ")) == set()
    assert retained("Odd  spacing\n stays.  As it is. ", 1.0) == "Odd  spacing\n stays.  As it is. "


def test_what_is_retained_of_a_talk_keeps_its_lines() -> None:
    said = [f"User: Question {i}? It matters {i}.\nAssistant: Answer {i}. So it is {i}." for i in range(6)]
    talk = "\n".join(said)
    for share in (0.2, 0.5, 0.8):
        kept = retained(talk, share)
        assert all(any(line in one for one in talk.split("\n")) for line in kept.split("\n"))
        assert kept.count("?") + kept.count(".") == round(24 * share)


def test_what_is_retained_is_given_to_those_that_bring_text_alone() -> None:
    classes = {name: registry.load("methods", name) for name in ("bm25", "dpr", "hybrid", "raptor", "full-context")}
    assert all(cls.brings_text for cls in classes.values())
    others = ("selfparam", "ft-s", "ft-c", "lora-bank", "cartridge", "cartridge-bank", "memoryllm", "infllm")
    classes |= {name: registry.load("methods", name) for name in others}
    assert all(cls.kind == "weights" or not cls.brings_text for cls in (classes[name] for name in others))
    text = "One is here. Two is here. Three is here. Four is here."
    for name, cls in classes.items():
        given = Combined._given(SimpleNamespace(retained=0.5), cls, [text])  # type: ignore[arg-type]
        assert (given == [text]) == (name in others), name


def test_text_is_retained_in_part(llm: LLM) -> None:
    method = made("bm25+base", llm, retained=0.5)
    memory = method.write(None, TEXTS)
    assert memory[0] == tuple(retained(text, 0.5) for text in TEXTS)
    assert all(len(one) < len(text) for one, text in zip(memory[0], TEXTS, strict=True))


def test_a_part_of_a_text_cannot_be_forgotten(llm: LLM) -> None:
    """What is retained of two texts may be the same: the other one's would go with it."""
    assert made("bm25+base", llm).forgets
    assert made("cartridge+selfparam", llm, retained=0.5).forgets, "none of its parts brings text"
    part = made("bm25+base", llm, retained=0.5)
    assert not part.forgets
    assert part.cannot_forget == "of two texts the parts that `retained` leaves may be the same"
