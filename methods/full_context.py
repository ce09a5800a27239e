"""Everything written so far in the prompt, cut at the model's window from the oldest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from membench.api import AtLeast0, MemoryKind, Method, Recall
from membench.text.words import word_starts

ROOM = 64  # tokens; a question and its answer get the least multiple that they fit in


@dataclass(frozen=True)
class FullContext(Method[tuple[str, ...]]):
    """All texts in the order of writing. The newest that fit stand whole, the one before them with its last words."""

    storage: ClassVar[str] = "O(n) text"
    kind: ClassVar[MemoryKind] = "text"

    budget: AtLeast0 = 0  # tokens of texts at most; 0: all that the model's window has room for

    def write(self, memory: tuple[str, ...] | None, contexts: Sequence[str]) -> tuple[str, ...]:
        """Append the texts."""
        return (*(memory or ()), *contexts)

    def recall(self, memory: tuple[str, ...] | None, questions: Sequence[str]) -> Recall:
        """What fits before each question; notes the mean number of tokens that were cut."""
        texts = memory or ()
        sizes = [self._size(text) for text in texts]
        rooms = [self._room(question) for question in questions]
        fitted = {room: self._fitting(texts, sizes, room) for room in set(rooms)}
        cut = {room: sum(sizes) - sum(self._size(text) for text in kept) for room, kept in fitted.items()}
        note = sum(cut[room] for room in rooms) / max(len(rooms), 1)
        return Recall(contexts=tuple(fitted[room] for room in rooms), notes={"tokens_cut": note})

    def forget(self, memory: tuple[str, ...], contexts: Sequence[str]) -> tuple[str, ...] | None:
        """Drop the texts: what is left is what would be there had they never been written."""
        gone = set(contexts)
        return tuple(text for text in memory if text not in gone) or None

    def _size(self, text: str) -> int:
        """Tokens that a text takes in the prompt, each time that it stands there."""
        return len(self.llm.segment_ids([text], "")[1])

    def _room(self, question: str) -> int:
        """Tokens that the window leaves for texts, worked examples, question and answer taken off.

        Where the prompt's style has every text twice, half of that. In steps, so that questions asked together share
        their prompt and one alone gets the same one.
        """
        first, asked = self.llm.segment_ids([], question)
        taken = -(-(len(asked) + self.llm.max_new_tokens) // ROOM) * ROOM
        left = max(self.llm.window - len(first) - taken, 0) // self.llm.renderer.times
        return min(left, self.budget) if self.budget else left

    def _fitting(self, texts: Sequence[str], sizes: Sequence[int], room: int) -> tuple[str, ...]:
        """The newest texts that take at most `room` tokens, and the last words of the one before that still fit."""
        first = len(texts)
        while first and sizes[first - 1] <= room:
            first -= 1
            room -= sizes[first]
        rest = self._last_words(texts[first - 1], room) if first else ""
        return (*((rest,) if rest else ()), *texts[first:])

    def _last_words(self, text: str, room: int) -> str:
        """As many words from the end of a text as take at most `room` tokens."""
        starts = [*word_starts(text)[1:], len(text)]
        low, high = 0, len(starts) - 1  # the start that is kept; the last one: nothing
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self._size(text[starts[middle] :]) <= room else (middle + 1, high)
        return text[starts[low] :]
