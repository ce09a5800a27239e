"""What an answer may be: so many tokens, up to a text that ends it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

MAX_NEW_TOKENS = 16


class AnswerForm:
    """The form of a model's answers: `max_new_tokens`, and `stop`, the text that ends one."""

    max_new_tokens: int = MAX_NEW_TOKENS
    stop: str = "\n"

    @contextmanager
    def answering(self, form: tuple[int, str] | None) -> Iterator[None]:
        """The model with a task's form of answers, (max_new_tokens, stop); None leaves its own."""
        own = self.max_new_tokens, self.stop
        self.max_new_tokens, self.stop = form or own
        try:
            yield
        finally:
            self.max_new_tokens, self.stop = own
