"""The one prompt: worked examples, what the memory recalls, the question. The same for every method.

A prompt is a chain of segments, each tokenised on its own, so that prompts which begin alike share those tokens exactly
and the model reads them once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from membench.errors import MembenchError

STYLES = ("plain", "chat")

EXAMPLES = (
    ("The Eiffel Tower stands in Paris. It was designed by Gustave Eiffel.", "Who designed the Eiffel Tower?", "Gustave Eiffel"),
    ("Water boils at 100 degrees Celsius.", "At what temperature does water boil?", "100 degrees Celsius"),
    ("Neil Armstrong walked on the Moon in 1969.", "In what year did Neil Armstrong walk on the Moon?", "1969"),
    ("Mount Everest lies in Nepal. It is covered in snow.", "In which country is Mount Everest?", "Nepal"),
)  # fmt: skip

CHAT_INSTRUCTION = "Answer the question in a few words."
_MARK = "\x00"


@dataclass(frozen=True)
class Renderer:
    """Turns recalled texts and a question into segments, in one of the two styles.

    `plain` is running text with worked examples, ended by a newline; `chat` is the model's own template.
    """

    style: str
    template: Any = None  # the tokenizer, for `chat`

    def __post_init__(self) -> None:
        if self.style not in STYLES:
            raise MembenchError(f"unknown prompt style {self.style!r}: choose from {', '.join(STYLES)}")
        if self.style == "chat" and not getattr(self.template, "chat_template", None):
            raise MembenchError("this model has no chat template: use --style plain")

    def segments(self, contexts: Sequence[str], question: str) -> tuple[str, ...]:
        """The segments of a prompt; joined, they are its text. The first never depends on question or contexts."""
        if self.style == "plain":
            return (self._head(), *(f"{text}\n" for text in contexts), f"Q: {question}\nA:")
        before, after = self._chat_frame()
        return (before, *(f"{text}\n\n" for text in contexts), f"{question}{after}")

    def answer(self, text: str) -> str:
        """An answer as it follows the prompt, with what ends it."""
        return f" {text}\n" if self.style == "plain" else f"{text}\n"

    @property
    def digest(self) -> str:
        """A hash of everything that shapes a prompt."""
        shape = json.dumps([self.style, self.segments(["{context}"], "{question}"), self.answer("{answer}")])
        return hashlib.sha256(shape.encode()).hexdigest()[:16]

    def _head(self) -> str:
        return "".join(f"{text}\nQ: {question}\nA: {answer}\n\n" for text, question, answer in EXAMPLES)

    def _chat_frame(self) -> tuple[str, str]:
        message = [{"role": "user", "content": f"{CHAT_INSTRUCTION}\n\n{_MARK}"}]
        text = self.template.apply_chat_template(message, tokenize=False, add_generation_prompt=True)
        before, after = text.split(_MARK)
        return before, after
