"""The one prompt: worked examples, what the memory recalls, the question. The same for every method.

A prompt is a chain of segments, each tokenised on its own, so that prompts which begin alike share those tokens exactly
and the model reads them once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from membench.errors import MembenchError
from membench.prompts.chat_template import chat_frame
from membench.prompts.tokens import BLANK, cut_before_blank

STYLES = ("plain", "twice", "chat")

# Invented facts, so that the examples teach to answer from the text and not from what the model knows: with them the
# default model reads right clearly more often than with general knowledge (docs/prompt.md has the numbers).
EXAMPLES = (
    (
        "Brannock is a small lighthouse on the island of Sule. The keeper of Brannock is Edda Marsh. "
        "Brannock was painted green in 1931.",
        (("Who keeps Brannock?", "Edda Marsh"), ("What year saw Brannock painted?", "1931")),
    ),
    (
        "The Otter Inn serves 140 guests a day. The owner of the Otter Inn is Piet Lange. "
        "The Otter Inn is best known for its onion soup.",
        (
            ("How many people eat at the Otter Inn every day?", "140"),
            ("What dish made the Otter Inn famous?", "onion soup"),
        ),
    ),
    (
        "Lake Imber lies near the town of Carrow. Lake Imber is 35 metres deep. Lake Imber is famous for its pike.",
        (("To which town is Lake Imber close?", "Carrow"), ("How many metres does Lake Imber go down?", "35")),
    ),
    (
        "The Marlow Clock was made by Ruth Adler. The Marlow Clock is made of brass. "
        "The Marlow Society bought the clock.",
        (("Out of what material is the Marlow Clock?", "brass"), ("Who built the Marlow Clock?", "Ruth Adler")),
    ),
    (
        "Harrow Hall is a school in Denby. Harrow Hall is run by Mara Quill. "
        "A swan is shown on the badge of Harrow Hall.",
        (("Where is Harrow Hall?", "Denby"), ("Which animal is on the badge of Harrow Hall?", "swan")),
    ),
    (
        "The Pendle Cup takes place in August. The Pendle Cup was first held by the Rowan Club. "
        "In the Pendle Cup, 20 percent of the players are women.",
        (
            ("When is the Pendle Cup?", "August"),
            ("What share of the players in the Pendle Cup are women?", "20 percent"),
        ),
    ),
)

CHAT_INSTRUCTION = "Answer the question in a few words."


@dataclass(frozen=True)
class Renderer:
    """Turns recalled texts and a question into segments, in one of three styles.

    `plain` is running text with worked examples, ended by a newline; `twice` is the same, with all that is recalled
    standing there twice, since a small causal model reads better what it has seen to the end before (Arora et al.
    2024, "Just read twice"); `chat` is the model's own template.
    """

    style: str
    template: Any = None  # the tokenizer, for `chat`
    _frame: tuple[str, str] = field(default=("", ""), init=False)  # what stands before and behind a chat's question
    _lead: str = field(default="", init=False)  # the blank line, where a chat's pieces open with it

    def __post_init__(self) -> None:
        if self.style not in STYLES:
            raise MembenchError(f"unknown prompt style {self.style!r}: choose from {', '.join(STYLES)}")
        if self.style == "chat":
            before, after = chat_frame(self.template, CHAT_INSTRUCTION)
            lead = BLANK if before.endswith(BLANK) and cut_before_blank(self.template) else ""
            object.__setattr__(self, "_frame", (before.removesuffix(lead), after))
            object.__setattr__(self, "_lead", lead)

    def segments(self, contexts: Sequence[str], question: str) -> tuple[str, ...]:
        """The segments of a prompt; joined, they are its text. The first never depends on question or contexts."""
        if self.style != "chat":
            return (_worked_examples(), *(f"{text}\n" for text in (*contexts,) * self.times), f"Q: {question}\nA:")
        (before, after), lead = self._frame, self._lead
        end = "" if lead else BLANK
        return (before, *(f"{lead}{text}{end}" for text in contexts), f"{lead}{question}{after}")

    def answer(self, text: str) -> str:
        """An answer as it follows the prompt, with what ends it."""
        return f"{text}\n" if self.style == "chat" else f" {text}\n"

    @property
    def times(self) -> int:
        """How often a recalled text stands in a prompt."""
        return 2 if self.style == "twice" else 1

    @property
    def digest(self) -> str:
        """A hash of everything that shapes a prompt."""
        shape = json.dumps([self.style, self.segments(["{context}"], "{question}"), self.answer("{answer}")])
        return hashlib.sha256(shape.encode()).hexdigest()[:16]


def _worked_examples() -> str:
    return "".join(
        f"{text}\n" + "".join(f"Q: {question}\nA: {answer}\n" for question, answer in pairs) + "\n"
        for text, pairs in EXAMPLES
    )
