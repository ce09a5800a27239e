"""How many texts the window has room for before a question."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from membench.model.llm import LLM


def fitting(llm: LLM, texts: Sequence[str], question: str, budget: int = 0, taken: int = 0) -> int:
    """How many of these texts, from the first on, the prompt of this question has room for.

    `budget` is tokens of texts at most (0: no bound but the window), `taken` tokens of the window that are in use.
    """
    size = cache(lambda text: len(llm.ids(text)))
    room = llm.window - len(llm.bos) - llm.max_new_tokens - taken
    spent = 0
    for count, text in enumerate(texts):
        spent += size(text)
        prompt = llm.renderer.segments(texts[: count + 1], question)
        if sum(map(size, prompt)) > room or (budget and spent > budget):
            return count
    return len(texts)
