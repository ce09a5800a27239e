"""Who summarises some texts for RAPTOR: their own most central sentences, the model itself, or an endpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from membench.errors import MembenchError, unknown
from membench.retrieval.encoders import Vectors
from membench.retrieval.passages import passages
from membench.targets import openai_endpoint
from membench.targets.pairs import beginning, prompt_hash
from membench.text.sentences import sentences
from membench.text.words import is_spaced

if TYPE_CHECKING:
    from membench.model.llm import LLM
    from membench.targets.scribe import Scribe

KINDS = ("extractive", "self", "openai")
SUMMARY_TOKENS = 100  # of a summary at most, in tokens of the reader

SELF_PROMPT = (
    "Passages:\n{text}\n\nOne paragraph that sums up these passages and keeps as many of their names, numbers and "
    "other key details as possible:\n"
)
SYSTEM = "You sum up passages for a reader who will look for facts in the summary. State nothing they do not state."
REQUEST = "Sum up these passages in one paragraph of at most {words} words, with many key details.\n\n{text}"
OPENAI_WORDS = 75  # about SUMMARY_TOKENS

Summariser = Callable[[Sequence[str], Vectors], str]  # texts and their vectors [texts, width]


def split(setting: str) -> tuple[str, str]:
    """A summariser's kind and the model of `openai`. Raises MembenchError for an unknown one."""
    kind, colon, model = setting.partition(":")
    if kind not in KINDS:
        raise unknown("summariser", kind, KINDS)
    if kind == "openai":
        return kind, model or openai_endpoint.MODEL
    if colon:
        raise MembenchError(f"summariser {kind} takes nothing after a colon: write summaries={kind}")
    return kind, ""


def provenance(setting: str) -> dict[str, str]:
    """What identifies a summariser: its kind, the wording of its prompt, its model."""
    kind, model = split(setting)
    if kind == "openai":
        return {"summariser": kind, "prompt": prompt_hash(SYSTEM, REQUEST, OPENAI_WORDS), "model": model}
    return {"summariser": kind, "prompt": prompt_hash(SELF_PROMPT)} if kind == "self" else {"summariser": kind}


class Extractive:
    """The sentences nearest to the texts' centre, in their own order. Each sentence is encoded once.

    `known` holds vectors of texts that are encoded already.
    """

    def __init__(self, encode: Callable[[Sequence[str]], Vectors], llm: LLM, known: dict[str, Vectors]):
        self.encode = encode
        self.llm = llm
        self.known = known

    def __call__(self, texts: Sequence[str], vectors: Vectors) -> str:
        """As many sentences as go into SUMMARY_TOKENS, one at least; up to the first that does not fit.

        Where spaces do not part words, a sentence above SUMMARY_TOKENS counts as several, as it may be a whole text.
        """
        found = list(
            dict.fromkeys(part for text in texts for sentence in sentences(text) for part in self._parts(sentence))
        )
        new = [sentence for sentence in found if sentence not in self.known]
        if new:
            self.known.update(zip(new, self.encode(new), strict=True))
        nearness = np.stack([self.known[sentence] for sentence in found]) @ vectors.mean(axis=0)
        chosen: list[int] = []
        room = SUMMARY_TOKENS
        for i in np.argsort(-nearness, kind="stable"):
            room -= len(self.llm.ids(f" {found[i]}"))
            if room < 0 and chosen:
                break
            chosen.append(int(i))
        return " ".join(found[i] for i in sorted(chosen))

    def _parts(self, sentence: str) -> tuple[str, ...]:
        if is_spaced(sentence):
            return (sentence,)
        return passages(sentence, SUMMARY_TOKENS, 0, lambda text: len(self.llm.ids(f" {text}")))


def summariser(setting: str, extractive: Extractive, scribe: Scribe, limit: int) -> Summariser:
    """The summariser that a setting names; texts beyond `limit` tokens are cut before they are read.

    A reply without words is replaced by the extractive summary.
    """
    kind, model = split(setting)
    if kind == "extractive":
        return extractive
    llm = extractive.llm

    def write(texts: Sequence[str], vectors: Vectors) -> str:
        text = llm.decode(llm.ids("\n".join(texts))[:limit])
        reply = _own(llm, text) if kind == "self" else _asked(model, text, scribe, llm)
        return " ".join(reply.split()) or extractive(texts, vectors)

    return write


def _own(llm: LLM, text: str) -> str:
    with llm.meter.role("summariser"):
        return llm.complete([SELF_PROMPT.format(text=text)], SUMMARY_TOKENS)[0].text


def _asked(model: str, text: str, scribe: Scribe, llm: LLM) -> str:
    if scribe.offline:
        raise MembenchError(
            f"--offline, and openai:{model} has not summed up {beginning(text)}: take summaries=extractive or self"
        )
    request = REQUEST.format(words=OPENAI_WORDS, text=text)
    with llm.meter.role("summariser"):
        return scribe.endpoint.ask("summariser", model, [("system", SYSTEM), ("user", request)], llm.meter).text
